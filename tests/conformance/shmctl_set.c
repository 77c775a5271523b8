/*
 * IPC_SET takes uid, gid and the low nine bits of mode, and sets ctime; nothing else of the buffer
 * counts. An id of -1 is no user: EINVAL, and nothing has changed.
 */
#include "shm_check.h"

int main(void) {
  NEED_ROOT();
  int id = CHECK_OK(shmget(0x10ec, 100, IPC_CREAT | 0600));
  char* p = ATTACH(id);
  struct shmid_ds before = stat_segment(id), ds;
  memset(&ds, 0x5a, sizeof ds);
  ds.shm_perm.uid = 10001;
  ds.shm_perm.gid = 4294967294u;
  ds.shm_perm.mode = 0177777;
  CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);

  struct shmid_ds now = stat_segment(id);
  CHECK_EQ(now.shm_perm.uid, 10001);
  CHECK_EQ(now.shm_perm.gid, 4294967294u);
  CHECK_EQ(now.shm_perm.mode, 0777);
  CHECK(now.shm_ctime >= before.shm_ctime && now.shm_ctime <= time(NULL));
  now.shm_perm = before.shm_perm;
  now.shm_ctime = before.shm_ctime;
  CHECK(memcmp(&now, &before, sizeof now) == 0);
  now = stat_segment(id);
  CHECK_EQ(now.shm_perm.__key, 0x10ec);
  CHECK_EQ(now.shm_perm.cuid, 0);
  CHECK_EQ(now.shm_perm.cgid, 0);

  /* Who has it attached keeps it, whatever the mode is now. */
  set_mode(id, 0);
  CHECK_EQ(stat_segment(id).shm_perm.mode, 0);
  CHECK_STORE(p, 0);

  now = stat_segment(id);
  ds = now;
  ds.shm_perm.uid = (uid_t)-1;
  CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EINVAL);
  ds = now;
  ds.shm_perm.uid = 77;
  ds.shm_perm.gid = (gid_t)-1;
  ds.shm_perm.mode = 0666;
  CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EINVAL);
  ds = stat_segment(id);
  CHECK(memcmp(&ds, &now, sizeof ds) == 0);
  DETACH(p);
  REMOVE_SEGMENT(id);
}
