/*
 * The namespace holds 32000 sets: then ENOSPC, but only where a set would have to be made, and only
 * if its size is right.
 */
#include "sem_check.h"

enum { KEY = 0x10d4 };

int main(void) {
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 0);
  for (int i = 1; i < DEFAULT_SEMMNI; i++)
    if (semget(IPC_PRIVATE, 1, 0600) != i)
      FAIL("set %d: expected that id, got another (%s)", i, strerrorname_np(errno));

  CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(semget(KEY + 1, 1, IPC_CREAT | 0600), ENOSPC);
  CHECK_ERRNO(semget(KEY + 1, 1, 0600), ENOENT);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 0);
  CHECK_ERRNO(semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), EEXIST);

  struct seminfo info;
  CHECK_EQ(semctl(0, 0, SEM_INFO, (union semun){.__buf = &info}), DEFAULT_SEMMNI - 1);
  CHECK_EQ(info.semusz, DEFAULT_SEMMNI);
  CHECK_EQ(info.semaem, DEFAULT_SEMMNI);

  /* One out, one in. */
  REMOVE_SET(5);
  CHECK_EQ(new_set(1), DEFAULT_SEMMNI);
  CHECK_ERRNO(semget(IPC_PRIVATE, 1, 0600), ENOSPC);

  for (int i = 0; i <= DEFAULT_SEMMNI; i++)
    if (i != 5) REMOVE_SET(i);
  CHECK_EQ(semctl(0, 0, SEM_INFO, (union semun){.__buf = &info}), 0);
  CHECK_EQ(info.semusz, 0);
}
