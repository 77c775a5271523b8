/*
 * Ids: the next index, cyclic in a window of 64 with few segments; the sequence number goes up when
 * the window begins anew. The id of a removed segment is EINVAL to every call, though its index is
 * in use. Attachments and IPC_RMID of an attached segment leave the id in use.
 */
#include "shm_check.h"

int main(void) {
  struct shmid_ds ds;
  for (int i = 0; i < 64; i++) {
    CHECK_EQ(new_segment(1), i);
    if (i != 5 && i != 7) REMOVE_SEGMENT(i);
  }
  char* p = ATTACH(7);
  REMOVE_SEGMENT(7);
  for (int i = 0; i < 64; i++) {
    if (i == 5 || i == 7) continue;
    CHECK_EQ(new_segment(1), SEQUENCE + i);
    CHECK_EQ(stat_segment(SEQUENCE + i).shm_perm.__seq, 1);
    REMOVE_SEGMENT(SEQUENCE + i);
  }
  CHECK_EQ(new_segment(1), 2 * SEQUENCE);
  DETACH(p);

  const int stale[] = {0, SEQUENCE, 3 * SEQUENCE, 1, 7, 2 * SEQUENCE + 1, INT_MAX};
  for (int i = 0; i < 7; i++) {
    int id = stale[i];
    CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
    CHECK_ERRNO(shmat(id, NULL, SHM_RDONLY), EINVAL);
    CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
    CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
    CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EINVAL);
    CHECK_ERRNO(shmctl(id, SHM_UNLOCK, NULL), EINVAL);
  }
  ds = stat_segment(5);
  for (int i = 0; i < 7; i++) CHECK_ERRNO(shmctl(stale[i], IPC_SET, &ds), EINVAL);
  REMOVE_SEGMENT(2 * SEQUENCE);
  REMOVE_SEGMENT(5);
}
