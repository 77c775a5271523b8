/*
 * The namespace holds 4096 segments: then ENOSPC, but only where a segment would have to be made.
 * One that is marked to be destroyed counts until its last attachment is gone.
 */
#include "shm_check.h"

enum { KEY = 0x10e4 };

int main(void) {
  CHECK_EQ(shmget(KEY, 1, IPC_CREAT | 0600), 0);
  for (int i = 1; i < DEFAULT_SHMMNI; i++)
    if (shmget(IPC_PRIVATE, 1, 0600) != i)
      FAIL("segment %d: expected that id, got another (%s)", i, strerrorname_np(errno));

  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_ERRNO(shmget(KEY + 1, 1, IPC_CREAT | 0600), ENOSPC);
  CHECK_ERRNO(shmget(KEY + 1, 1, 0600), ENOENT);
  CHECK_EQ(shmget(KEY, 1, IPC_CREAT | 0600), 0);
  CHECK_ERRNO(shmget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), EEXIST);

  struct shm_info info;
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)&info), DEFAULT_SHMMNI - 1);
  CHECK_EQ(info.used_ids, DEFAULT_SHMMNI);
  CHECK_EQ(info.shm_tot, DEFAULT_SHMMNI);

  /* One out, one in. The window of indexes is one and a half times what is in use. */
  REMOVE_SEGMENT(5);
  for (int i = DEFAULT_SHMMNI; i < (DEFAULT_SHMMNI - 1) * 3 / 2; i++) {
    CHECK_EQ(new_segment(1), i);
    CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
    REMOVE_SEGMENT(i);
  }
  CHECK_EQ(new_segment(1), SEQUENCE + 5);
  REMOVE_SEGMENT(SEQUENCE + 5);

  int last = new_segment(1);
  char* p = ATTACH(last);
  REMOVE_SEGMENT(last);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  DETACH(p);
  REMOVE_SEGMENT(new_segment(1));

  for (int i = 0; i < DEFAULT_SHMMNI; i++)
    if (i != 5) REMOVE_SEGMENT(i);
  CHECK_EQ(shmctl(0, SHM_INFO, (struct shmid_ds*)&info), 0);
  CHECK_EQ(info.used_ids, 0);
  CHECK_EQ(info.shm_tot, 0);
}
