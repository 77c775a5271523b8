/*
 * IPC_RMID of a segment that is attached only marks it: mode gets SHM_DEST, the key becomes 0, the
 * rest is as before; its id still serves shmat(), IPC_STAT, IPC_SET, IPC_RMID. The last detachment
 * destroys it, also one attached after IPC_RMID. The buffer is ignored.
 */
#include "shm_check.h"

enum { KEY = 0x10e8 };

int main(void) {
  int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0640));
  char* first = ATTACH(id);
  strcpy(first, "kept");
  struct shmid_ds before = stat_segment(id);

  CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
  struct shmid_ds now = stat_segment(id);
  CHECK_EQ(now.shm_perm.mode, SHM_DEST | 0640);
  CHECK_EQ(now.shm_perm.__key, IPC_PRIVATE);
  CHECK_EQ(now.shm_nattch, 1);
  before.shm_perm.mode = now.shm_perm.mode;
  before.shm_perm.__key = now.shm_perm.__key;
  CHECK(memcmp(&before, &now, sizeof now) == 0);

  CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
  CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
  CHECK_NATTCH(id, 1);
  char* second = SHMAT(id, NULL, SHM_RDONLY);
  CHECK_TEXT(second, "kept");
  CHECK_NATTCH(id, 2);
  DETACH(first);
  CHECK_NATTCH(id, 1);
  CHECK_ERRNO(shmat(id, second, 0), EINVAL);
  CHECK_NATTCH(id, 1);

  /* IPC_SET changes the low nine bits, not the mark. */
  set_mode(id, 0604);
  CHECK_EQ(stat_segment(id).shm_perm.mode, SHM_DEST | 0604);
  DETACH(second);
  CHECK_DESTROYED(id);
  CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
  CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);

  /* Without an attachment it is destroyed at once. */
  id = new_segment(100);
  first = ATTACH(id);
  DETACH(first);
  CHECK_EQ(shmctl(id, IPC_RMID, (struct shmid_ds*)-1), 0);
  CHECK_DESTROYED(id);
  CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);

  /* Nobody can set the mark by hand. */
  id = new_segment(100);
  set_mode(id, SHM_DEST | SHM_LOCKED | 0600);
  CHECK_EQ(stat_segment(id).shm_perm.mode, 0600);
  first = ATTACH(id);
  DETACH(first);
  REMOVE_SEGMENT(id);
}
