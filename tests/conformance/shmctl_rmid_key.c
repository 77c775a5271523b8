/*
 * After IPC_RMID of an attached segment its key is free: shmget() does not find it, and makes a new
 * segment of that key beside it, which is another memory.
 */
#include "shm_check.h"

enum { KEY = 0x10e9 };

int main(void) {
  int old = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0600));
  char* of_old = ATTACH(old);
  strcpy(of_old, "old");
  REMOVE_SEGMENT(old);
  CHECK_ERRNO(shmget(KEY, 100, 0600), ENOENT);
  CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);

  int new = CHECK_OK(shmget(KEY, 50000, IPC_CREAT | IPC_EXCL | 0600));
  CHECK(new != old);
  CHECK_EQ(shmget(KEY, 50000, 0600), new);
  char* of_new = ATTACH(new);
  CHECK_BYTES(of_new, 0, 50000);
  strcpy(of_new, "new");
  CHECK_TEXT(of_old, "old");

  /* IPC_RMID of the old one again does not touch the key's new owner. */
  REMOVE_SEGMENT(old);
  CHECK_EQ(shmget(KEY, 0, 0), new);
  CHECK_EQ(stat_segment(new).shm_perm.__key, KEY);
  DETACH(of_old);
  CHECK_DESTROYED(old);
  CHECK_EQ(shmget(KEY, 0, 0), new);
  CHECK_TEXT(of_new, "new");

  /* Several generations at a time. */
  char* at[5];
  int ids[5];
  REMOVE_SEGMENT(new);
  for (int i = 0; i < 5; i++) {
    ids[i] = CHECK_OK(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600));
    at[i] = ATTACH(ids[i]);
    *at[i] = (char)i;
    REMOVE_SEGMENT(ids[i]);
  }
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(*at[i], i);
    CHECK_EQ(stat_segment(ids[i]).shm_perm.__key, 0);
    DETACH(at[i]);
    CHECK_DESTROYED(ids[i]);
  }
  DETACH(of_new);
  CHECK_DESTROYED(new);
}
