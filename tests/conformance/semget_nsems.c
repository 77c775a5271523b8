/*
 * The number of semaphores: 1 to 32000 for a new set, 0 to its size for one that exists. A number
 * out of range is EINVAL before the key is looked up, a wrong one after.
 */
#include "sem_check.h"

enum { KEY = 0x10d1 };

int main(void) {
  const int never[] = {-1, INT_MIN, DEFAULT_SEMMSL + 1, INT_MAX};
  for (int i = 0; i < 4; i++) {
    CHECK_ERRNO(semget(IPC_PRIVATE, never[i], 0600), EINVAL);
    CHECK_ERRNO(semget(KEY, never[i], IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(semget(KEY, never[i], 0), EINVAL);
  }
  CHECK_ERRNO(semget(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
  CHECK_ERRNO(semget(KEY, 0, IPC_CREAT | 0600), EINVAL);
  CHECK_ERRNO(semget(KEY, 0, IPC_CREAT | IPC_EXCL | 0600), EINVAL);
  CHECK_ERRNO(semget(KEY, 0, 0600), ENOENT);

  int id = CHECK_OK(semget(KEY, 3, IPC_CREAT | 0600));
  CHECK_EQ(id, 0);
  for (int nsems = 0; nsems <= 3; nsems++) {
    CHECK_EQ(semget(KEY, nsems, 0600), id);
    CHECK_EQ(semget(KEY, nsems, IPC_CREAT | 0600), id);
  }
  CHECK_ERRNO(semget(KEY, 4, 0600), EINVAL);
  CHECK_ERRNO(semget(KEY, 4, IPC_CREAT | 0600), EINVAL);
  CHECK_ERRNO(semget(KEY, DEFAULT_SEMMSL, IPC_CREAT), EINVAL);
  CHECK_ERRNO(semget(KEY, 4, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(semget(KEY, 0, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  for (int i = 0; i < 4; i++)
    CHECK_ERRNO(semget(KEY, never[i], IPC_CREAT | IPC_EXCL | 0600), EINVAL);
  CHECK_EQ(stat_set(id).sem_nsems, 3);
  REMOVE_SET(id);

  /* The largest. */
  id = new_set(DEFAULT_SEMMSL);
  CHECK_EQ(stat_set(id).sem_nsems, DEFAULT_SEMMSL);
  CHECK_EQ(SEMOP(id, {DEFAULT_SEMMSL - 1, 7, SEM_UNDO}, {0, 1, 0}), 0);
  CHECK_VALUE(id, DEFAULT_SEMMSL - 1, 7);
  CHECK_ERRNO(SEMOP(id, {DEFAULT_SEMMSL, 1, 0}), EFBIG);
  CHECK_ERRNO(semctl(id, DEFAULT_SEMMSL, GETVAL), EINVAL);
  REMOVE_SET(id);
}
