/*
 * Which error shmctl() gives when several apply. Negative id or command EINVAL first. IPC_STAT,
 * SHM_STAT: no such segment EINVAL, EACCES, bad buffer EFAULT. IPC_SET: EFAULT, EINVAL, EPERM.
 * IPC_RMID, SHM_LOCK, SHM_UNLOCK: EINVAL, EPERM, the buffer ignored. Unknown commands are EINVAL.
 */
#include "shm_check.h"

enum { STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  int id = new_segment(100);
  struct shmid_ds ds;

  CHECK_ERRNO(shmctl(-1, IPC_SET, NULL), EINVAL);
  CHECK_ERRNO(shmctl(-1, IPC_STAT, NULL), EINVAL);
  CHECK_ERRNO(shmctl(-1, IPC_INFO, NULL), EINVAL);
  CHECK_ERRNO(shmctl(-1, SHM_LOCK, NULL), EINVAL);
  CHECK_ERRNO(shmctl(id, -1, NULL), EINVAL);
  CHECK_ERRNO(shmctl(id, INT_MIN, &ds), EINVAL);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, IPC_STAT, NULL), EINVAL);
  CHECK_ERRNO(shmctl(id, IPC_STAT, NULL), EFAULT);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, IPC_SET, NULL), EFAULT);
  CHECK_ERRNO(shmctl(id, IPC_SET, NULL), EFAULT);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, IPC_INFO, NULL), EFAULT);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, SHM_INFO, NULL), EFAULT);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, SHM_LOCK, NULL), EINVAL);
  CHECK_ERRNO(shmctl(NO_SUCH_ID, SHM_UNLOCK, NULL), EINVAL);

#ifdef __LP64__
  /* The structure must be accessible as a whole, to the byte (a 32-bit libc converts a copy). */
  char* end = end_of_memory();
  struct shmid_ds* whole = (struct shmid_ds*)(end - sizeof ds);
  struct shmid_ds* short_by_8 = (struct shmid_ds*)((char*)whole + 8);
  CHECK_EQ(shmctl(id, IPC_STAT, whole), 0);
  CHECK_EQ(shmctl(id, IPC_SET, whole), 0);
  CHECK_ERRNO(shmctl(id, IPC_STAT, short_by_8), EFAULT);
  CHECK_ERRNO(shmctl(id, IPC_SET, short_by_8), EFAULT);
  CHECK_ERRNO(shmctl(0, SHM_STAT, short_by_8), EFAULT);
  CHECK_ERRNO(shmctl(0, IPC_INFO, (struct shmid_ds*)(end - sizeof(struct shminfo) + 8)), EFAULT);
  CHECK_EQ(shmctl(0, IPC_INFO, (struct shmid_ds*)(end - sizeof(struct shminfo))), 0);
  CHECK_ERRNO(shmctl(0, SHM_INFO, (struct shmid_ds*)(end - sizeof(struct shm_info) + 8)), EFAULT);
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)(end - sizeof(struct shm_info))), 0);
#endif

  /* Commands of other calls, and none. 18 is semctl's SEM_STAT. */
  const int unknown[] = {4, 5, 10, 16, 18, 99, 0x200, INT_MAX};
  for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    CHECK_ERRNO(shmctl(id, unknown[i], &ds), EINVAL);
    CHECK_ERRNO(shmctl(NO_SUCH_ID, unknown[i], NULL), EINVAL);
  }

  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(shmctl(id, IPC_STAT, NULL), EACCES);
      CHECK_ERRNO(shmctl(id % SEQUENCE, SHM_STAT, NULL), EACCES);
      CHECK_ERRNO(shmctl(id % SEQUENCE, SHM_STAT_ANY, NULL), EFAULT);
      CHECK_ERRNO(shmctl(id, IPC_SET, NULL), EFAULT);
      CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
      CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
      CHECK_ERRNO(shmctl(id, SHM_UNLOCK, NULL), EPERM);
      CHECK_ERRNO(shmctl(NO_SUCH_ID, IPC_RMID, NULL), EINVAL);
      CHECK_ERRNO(shmctl(NO_SUCH_ID, SHM_LOCK, NULL), EINVAL);
      CHECK_ERRNO(shmctl(id, 99, NULL), EINVAL);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  REMOVE_SEGMENT(id);
}
