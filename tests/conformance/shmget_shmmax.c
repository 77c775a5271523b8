/*
 * SHMMAX bounds a new segment's bytes: EINVAL beyond it. A segment that is larger by now is found
 * and attached as before; to ask for more than SHMMAX of one that has it is no error.
 */
#include "shm_check.h"

enum { KEY = 0x10e6 };

int main(void) {
  NEED_ROOT();
  need_own_sysctl();
  int large = CHECK_OK(shmget(KEY, 20000, IPC_CREAT | 0600));
  CHECK_EQ(put_text("/proc/sys/kernel/shmmax", "10001\n"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 10002, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  int id = new_segment(10001);
  CHECK_EQ(stat_segment(id).shm_segsz, 10001);
  REMOVE_SEGMENT(id);

  CHECK_EQ(shmget(KEY, 20000, 0600), large);
  CHECK_EQ(shmget(KEY, 20000, IPC_CREAT | 0600), large);
  CHECK_ERRNO(shmget(KEY, 20001, IPC_CREAT | 0600), EINVAL);
  char* p = ATTACH(large);
  CHECK_STORE(p + 19999, 0);
  DETACH(p);
  REMOVE_SEGMENT(large);

  CHECK_EQ(put_text("/proc/sys/kernel/shmmax", "0\n"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), EINVAL);
}
