/* semget() by key: IPC_CREAT, IPC_EXCL, ENOENT and EEXIST; IPC_EXCL alone means nothing. */
#include "sem_check.h"

enum { KEY = 0x10d0 };

int main(void) {
  CHECK_ERRNO(semget(KEY, 1, 0600), ENOENT);
  CHECK_ERRNO(semget(KEY, 1, IPC_EXCL | 0600), ENOENT);

  CHECK_EQ(semget(KEY, 2, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_ERRNO(semget(KEY, 2, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_EQ(semget(KEY, 2, IPC_CREAT | 0600), 0);
  CHECK_EQ(semget(KEY, 2, IPC_EXCL | 0600), 0);
  CHECK_EQ(semget(KEY, 2, 0), 0);

  /* Another key is another set, even one that differs only in the sign bit. */
  CHECK_EQ(semget(KEY | INT_MIN, 1, IPC_CREAT | IPC_EXCL | 0600), 1);
  CHECK_EQ(semget(-1, 1, IPC_CREAT | 0600), 2);
  CHECK_EQ(stat_set(2).sem_perm.__key, -1);

  /* IPC_PRIVATE always makes one, with IPC_CREAT, without and with IPC_EXCL; no key finds it. */
  CHECK_EQ(semget(IPC_PRIVATE, 1, 0600), 3);
  CHECK_EQ(semget(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0600), 4);
  CHECK_EQ(semget(IPC_PRIVATE, 1, IPC_EXCL), 5);
  CHECK_EQ(stat_set(4).sem_perm.__key, IPC_PRIVATE);

  for (int id = 0; id < 6; id++) REMOVE_SET(id);
  CHECK_ERRNO(semget(KEY, 1, 0600), ENOENT);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 6);
  REMOVE_SET(6);
}
