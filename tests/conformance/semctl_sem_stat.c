/*
 * SEM_STAT and SEM_STAT_ANY take an index and return the full id. Of a number that is larger than
 * an index only the index part counts, so a stale id finds the set that has its index now.
 */
#include "sem_check.h"

static int stat_by(int command, int index, struct semid_ds* ds) {
  return semctl(index, 99, command, (union semun){.buf = ds});
}

int main(void) {
  const int commands[] = {SEM_STAT, SEM_STAT_ANY};
  for (int i = 0; i < 64; i++) REMOVE_SET(new_set(1));
  CHECK_EQ(new_set(1), SEQUENCE + 0);
  int id = CHECK_OK(semget(0x10da, 7, IPC_CREAT | 0600));
  CHECK_EQ(id, SEQUENCE + 1);
  CHECK_EQ(SEMOP(id, {6, 1, 0}), 0);
  struct semid_ds want = stat_set(id);
  CHECK_EQ(want.sem_nsems, 7);
  CHECK(want.sem_otime != 0);

  for (int i = 0; i < 2; i++) {
    struct semid_ds ds;
    memset(&ds, 0xa5, sizeof ds);
    CHECK_EQ(stat_by(commands[i], 1, &ds), id);
    CHECK(memcmp(&ds, &want, sizeof ds) == 0);

    CHECK_EQ(stat_by(commands[i], id, &ds), id);
    CHECK_EQ(stat_by(commands[i], 5 * SEQUENCE + 1, &ds), id);
    CHECK_EQ(stat_by(commands[i], 0, &ds), SEQUENCE);

    CHECK_ERRNO(stat_by(commands[i], 2, &ds), EINVAL);
    CHECK_ERRNO(stat_by(commands[i], SEQUENCE - 1, &ds), EINVAL);
    CHECK_ERRNO(stat_by(commands[i], INT_MAX, &ds), EINVAL);
    CHECK_ERRNO(stat_by(commands[i], -1, &ds), EINVAL);
    CHECK_ERRNO(stat_by(commands[i], 2, NULL), EINVAL);
    CHECK_ERRNO(stat_by(commands[i], 1, NULL), EFAULT);
  }
  REMOVE_SET(SEQUENCE + 0);
  REMOVE_SET(id);
}
