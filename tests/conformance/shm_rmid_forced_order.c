/*
 * What counts is kernel.shm_rmid_forced at the time of an end, not when somebody looks: of an
 * attachment, of a maker, of a process that was killed.
 */
#include "shm_check.h"

static const char path[] = "/proc/sys/kernel/shm_rmid_forced";

/* Makes a segment, or attaches the one that `*id` is, and sleeps. */
static pid_t starter(int* id, int* stage) {
  pid_t child = fork_child();
  if (child == 0) {
    if (*id < 0)
      *id = new_segment(100);
    else
      ATTACH(*id);
    announce(stage, 1);
    for (;;) pause();
  }
  await(stage, 1);
  announce(stage, 0);
  return child;
}

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  int *id = shared_memory(sizeof *id), *stage = shared_memory(sizeof *stage);

  /* The maker dies while it is 1. */
  CHECK_EQ(put_text(path, "1"), 0);
  *id = -1;
  pid_t maker = starter(id, stage);
  kill_to_zombie(maker);
  CHECK_EQ(put_text(path, "0"), 0);
  CHECK_DESTROYED(*id);
  KILL_CHILD(maker);

  /* The last who has it attached dies while it is 1. */
  *id = new_segment(100);
  pid_t user = starter(id, stage);
  CHECK_EQ(put_text(path, "1"), 0);
  kill_to_zombie(user);
  CHECK_EQ(put_text(path, "0"), 0);
  CHECK_DESTROYED(*id);
  KILL_CHILD(user);

  /* While it is 0: the maker lives. */
  *id = new_segment(100);
  user = starter(id, stage);
  kill_to_zombie(user);
  CHECK_EQ(put_text(path, "1"), 0);
  CHECK_NATTCH(*id, 0);
  KILL_CHILD(user);

  /* A removed segment goes with its last attachment, forced or not, and once. */
  char* p = ATTACH(*id);
  CHECK_EQ(shmctl(*id, IPC_RMID, NULL), 0);
  DETACH(p);
  CHECK_DESTROYED(*id);

  /* The key is free again, and a fork's attachment counts. */
  int keyed = CHECK_OK(shmget(0x10c6, 100, IPC_CREAT | 0600));
  p = ATTACH(keyed);
  *id = keyed;
  user = starter(id, stage);
  DETACH(p);
  CHECK_EQ(shmget(0x10c6, 100, 0), keyed);
  kill_to_zombie(user);
  CHECK_ERRNO(shmget(0x10c6, 100, 0), ENOENT);
  CHECK_DESTROYED(keyed);
  KILL_CHILD(user);
  int again = CHECK_OK(shmget(0x10c6, 100, IPC_CREAT | IPC_EXCL | 0600));
  CHECK(again != keyed);
  REMOVE_SEGMENT(again);
}
