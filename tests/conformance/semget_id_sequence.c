/*
 * Ids: the next index, cyclic in a window of 64 with few sets; the sequence number goes up when the
 * window begins anew. The id of a removed set is EINVAL to every call, though its index is in use.
 */
#include "sem_check.h"

int main(void) {
  struct semid_ds ds;
  unsigned short values[1] = {0};
  for (int i = 0; i < 64; i++) {
    CHECK_EQ(new_set(1), i);
    if (i != 5) REMOVE_SET(i);
  }
  for (int i = 0; i < 64; i++) {
    if (i == 5) continue;
    CHECK_EQ(new_set(1), SEQUENCE + i);
    REMOVE_SET(SEQUENCE + i);
  }
  CHECK_EQ(new_set(1), 2 * SEQUENCE);

  const int stale[] = {0, SEQUENCE, 3 * SEQUENCE, 1, 2 * SEQUENCE + 1, INT_MAX};
  for (int i = 0; i < 6; i++) {
    int id = stale[i];
    CHECK_ERRNO(SEMOP(id, {0, 1, 0}), EINVAL);
    CHECK_ERRNO(SEMOP(id, {0, 1, SEM_UNDO}), EINVAL);
    CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
    CHECK_ERRNO(semctl(id, 0, GETALL, (union semun){.array = values}), EINVAL);
    CHECK_ERRNO(semctl(id, 0, SETALL, (union semun){.array = values}), EINVAL);
    CHECK_ERRNO(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}), EINVAL);
    CHECK_ERRNO(semctl(id, 0, IPC_RMID), EINVAL);
  }
  ds = stat_set(5);
  for (int i = 0; i < 6; i++) CHECK_ERRNO(change_set(stale[i], &ds), EINVAL);
  CHECK_VALUE(2 * SEQUENCE, 0, 0);
  CHECK_VALUE(5, 0, 0);
  REMOVE_SET(2 * SEQUENCE);
  REMOVE_SET(5);
}
