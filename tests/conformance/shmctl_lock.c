/*
 * SHM_LOCK sets SHM_LOCKED in the mode, SHM_UNLOCK clears it; either may be repeated, attached or
 * not. They change no time, pid or permission, and IPC_SET and IPC_RMID leave the bit alone.
 */
#include "shm_check.h"

int main(void) {
  NEED_ROOT();
  int id = CHECK_OK(shmget(0x10ed, pages(2), IPC_CREAT | 0640));
  struct shmid_ds before = stat_segment(id);
  CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL), 0);
  CHECK_EQ(stat_segment(id).shm_perm.mode, 0640);
  CHECK_EQ(shmctl(id, SHM_LOCK, (struct shmid_ds*)-1), 0);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_LOCKED | 0640);
  CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
  struct shmid_ds now = stat_segment(id);
  CHECK_EQ(now.shm_perm.mode, SHM_LOCKED | 0640);
  now.shm_perm.mode = before.shm_perm.mode;
  CHECK(memcmp(&now, &before, sizeof now) == 0);

  char* p = ATTACH(id);
  CHECK_BYTES(p, 0, pages(2));
  strcpy(p, "locked");
  set_mode(id, 0600);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_LOCKED | 0600);
  REMOVE_SEGMENT(id);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_DEST | SHM_LOCKED | 0600);
  CHECK_EQ(shmctl(id, SHM_UNLOCK, (struct shmid_ds*)-1), 0);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_DEST | 0600);
  CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL), 0);
  CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_DEST | SHM_LOCKED | 0600);
  CHECK_TEXT(p, "locked");
  DETACH(p);
  CHECK_DESTROYED(id);
}
