/*
 * SHMALL bounds the pages of all segments together, each segment's size rounded up: ENOSPC beyond
 * it, EINVAL for SHMMAX first. A segment marked to be destroyed counts until it is.
 */
#include "shm_check.h"

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  CHECK_EQ(put_text("/proc/sys/kernel/shmall", "10\n"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, pages(10) + 1, 0600), ENOSPC);
  int ten = new_segment(pages(10));
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, ULONG_MAX, 0600), EINVAL);
  REMOVE_SEGMENT(ten);

  /* One byte costs a page. */
  int ids[10];
  for (int i = 0; i < 10; i++) ids[i] = new_segment(1);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  REMOVE_SEGMENT(ids[0]);
  CHECK_ERRNO(shmget(IPC_PRIVATE, pages(1) + 1, 0600), ENOSPC);
  ids[0] = new_segment(pages(1));

  char* p = ATTACH(ids[9]);
  REMOVE_SEGMENT(ids[9]);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  DETACH(p);
  ids[9] = new_segment(1);

  /* Lowered, it touches nothing that exists. */
  CHECK_EQ(put_text("/proc/sys/kernel/shmall", "5\n"), 0);
  struct shm_info info;
  CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds*)&info));
  CHECK_EQ(info.shm_tot, 10);
  for (int i = 0; i < 5; i++) REMOVE_SEGMENT(ids[i]);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  REMOVE_SEGMENT(ids[5]);
  ids[5] = new_segment(1);
  CHECK_EQ(put_text("/proc/sys/kernel/shmall", "0\n"), 0);
  for (int i = 5; i < 10; i++) REMOVE_SEGMENT(ids[i]);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
}
