/*
 * shmget() with IPC_CREAT, IPC_EXCL, both and neither. IPC_EXCL alone is ignored; IPC_PRIVATE makes
 * a segment whatever the flags.
 */
#include "shm_check.h"

enum { KEY = 0x10e0 };

int main(void) {
  CHECK_ERRNO(shmget(KEY, 100, 0600), ENOENT);
  CHECK_ERRNO(shmget(KEY, 100, IPC_EXCL | 0600), ENOENT);
  int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0600));
  CHECK_EQ(shmget(KEY, 100, 0600), id);
  CHECK_EQ(shmget(KEY, 100, IPC_CREAT | 0600), id);
  CHECK_EQ(shmget(KEY, 100, IPC_EXCL | 0600), id);
  CHECK_EQ(shmget(KEY, 100, 0), id);
  CHECK_ERRNO(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(shmget(KEY + 1, 100, 0600), ENOENT);

  const int flags[] = {0, IPC_CREAT, IPC_EXCL, IPC_CREAT | IPC_EXCL};
  for (int i = 0; i < 4; i++) {
    int private = CHECK_OK(shmget(IPC_PRIVATE, 100, flags[i] | 0600));
    CHECK_EQ(private, id + 1 + i);
    CHECK_EQ(stat_segment(private).shm_perm.__key, IPC_PRIVATE);
  }
  for (int i = 0; i < 4; i++) REMOVE_SEGMENT(id + 1 + i);

  /* Removed without an attachment, it is gone at once, and its key is free. */
  REMOVE_SEGMENT(id);
  CHECK_ERRNO(shmget(KEY, 100, 0600), ENOENT);
  int next = CHECK_OK(shmget(KEY, 200, IPC_CREAT | IPC_EXCL | 0600));
  CHECK(next != id);
  CHECK_EQ(stat_segment(next).shm_segsz, 200);
  REMOVE_SEGMENT(next);
}
