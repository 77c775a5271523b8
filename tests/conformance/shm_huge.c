/*
 * A segment of 64 GiB on a machine that need not have the memory: SHM_NORESERVE. All of it can be
 * attached, several times, and what is touched anywhere is there.
 */
#include "shm_check.h"

int main(void) {
#ifndef __LP64__
  SKIP("needs a 64-bit address space");
#else
  const size_t size = 64ul << 30, step = 4ul << 30;
  int id = shmget(IPC_PRIVATE, size, SHM_NORESERVE | 0600);
  if (id < 0 && errno == ENOMEM) SKIP("needs a kernel that reserves no memory");
  CHECK_OK(id);
  CHECK_EQ(stat_segment(id).shm_segsz, size);
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.shm_tot, size / pages(1));
  char* p = ATTACH(id);
  char* q = SHMAT(id, NULL, SHM_RDONLY);
  for (size_t at = 0; at < size; at += step) {
    CHECK_EQ(q[at], 0);
    p[at + step - 1] = (char)(at / step + 1);
    CHECK_EQ(q[at + step - 1], at / step + 1);
  }
  pid_t child = fork_child();
  if (child == 0) {
    for (size_t at = 0; at < size; at += step) CHECK_EQ(p[at + step - 1], at / step + 1);
    _exit(0);
  }
  CHECK_CHILD(child);
  DETACH(p);
  REMOVE_SEGMENT(id);
  CHECK_NATTCH(id, 1);
  DETACH(q);
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.shm_tot, 0);
#endif
}
