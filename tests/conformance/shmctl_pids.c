/*
 * cpid is the process that made the segment, for good. lpid is the last that attached or detached:
 * by shmat(), shmdt(), munmap(), exec or its end; of fork() it is the parent. 0 before any.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4));
  pid_t self = getpid();
  CHECK_EQ(stat_segment(id).shm_cpid, self);
  CHECK_LPID(id, 0);

  pid_t child = fork_child();
  if (child == 0) {
    char* p = ATTACH(id);
    CHECK_LPID(id, getpid());
    CHECK_EQ(stat_segment(id).shm_cpid, self);
    DETACH(p);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_LPID(id, child);
  CHECK_EQ(stat_segment(id).shm_cpid, self);

  /* Its maker may have gone. */
  int* made = shared_memory(sizeof *made);
  pid_t maker = fork_child();
  if (maker == 0) {
    *made = new_segment(1);
    _exit(0);
  }
  CHECK_CHILD(maker);
  CHECK_EQ(stat_segment(*made).shm_cpid, maker);
  CHECK_LPID(*made, 0);
  REMOVE_SEGMENT(*made);

  /* Parent and child after fork(). */
  char* p = ATTACH(id);
  CHECK_LPID(id, self);
  int* stage = shared_memory(sizeof *stage);
  child = fork_child();
  if (child == 0) {
    CHECK_LPID(id, self);
    CHECK_EQ(munmap(p + pages(1), pages(1)), 0);
    CHECK_LPID(id, getpid());
    announce(stage, 1);
    await(stage, 2);
    _exit(0);
  }
  await(stage, 1);
  CHECK_LPID(id, child);
  CHECK_EQ(mprotect(p, pages(1), PROT_READ), 0);
  CHECK_LPID(id, self);
  announce(stage, 2);
  CHECK_CHILD(child);
  CHECK_LPID(id, child);

  /* What fails, and what only asks or changes the segment, counts nobody. */
  child = fork_child();
  if (child == 0) {
    CHECK_EQ(munmap(p, pages(4)), 0);
    CHECK_EQ(shmctl(id, IPC_SET, &(struct shmid_ds){.shm_perm = stat_segment(id).shm_perm}), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_LPID(id, child);
  stat_segment(id);
  CHECK_ERRNO(shmat(id, p, 0), EINVAL);
  CHECK_ERRNO(shmdt(p + pages(1)), EINVAL);
  CHECK_LPID(id, child);
  DETACH(p);
  CHECK_LPID(id, self);
  REMOVE_SEGMENT(id);
}
