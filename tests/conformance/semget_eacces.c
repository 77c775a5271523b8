/*
 * semget() of an existing set: the low nine flag bits are the access asked for, all three classes
 * or-ed together and compared with the caller's own class. ENOENT, EEXIST and EINVAL for too many
 * semaphores come before EACCES.
 */
#include "sem_check.h"

enum { KEY = 0x10d2, OWNER = 10001, STRANGER = 10002 };

int main(void) {
  NEED_ROOT();
  pid_t owner = fork_child();
  if (owner == 0) {
    become(OWNER, OWNER, 0);
    int id = CHECK_OK(semget(KEY, 2, IPC_CREAT | 0204));
    CHECK_EQ(semget(KEY, 2, 0200), id);
    CHECK_EQ(semget(KEY, 2, 0002), id);
    CHECK_EQ(semget(KEY, 2, 0020), id);
    CHECK_ERRNO(semget(KEY, 2, 0400), EACCES);
    CHECK_ERRNO(semget(KEY, 2, 0004), EACCES);
    CHECK_ERRNO(semget(KEY, 0, 0100), EACCES);
    CHECK_ERRNO(semget(KEY, 2, IPC_CREAT | 0600), EACCES);
    _exit(0);
  }
  CHECK_CHILD(owner);

  pid_t stranger = fork_child();
  if (stranger == 0) {
    become(STRANGER, STRANGER, 0);
    int id = CHECK_OK(semget(KEY, 0, 0));
    CHECK_EQ(semget(KEY, 2, 0400), id);
    CHECK_EQ(semget(KEY, 1, 0444), id);
    CHECK_EQ(semget(KEY, 2, IPC_CREAT | 0004), id);
    CHECK_ERRNO(semget(KEY, 2, 0002), EACCES);
    CHECK_ERRNO(semget(KEY, 2, 0200), EACCES);
    CHECK_ERRNO(semget(KEY, 2, IPC_CREAT | 0666), EACCES);
    CHECK_ERRNO(semget(KEY, 3, IPC_CREAT | 0666), EINVAL);
    CHECK_ERRNO(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0666), EEXIST);
    CHECK_ERRNO(semget(KEY + 1, 0, 0666), ENOENT);
    _exit(0);
  }
  CHECK_CHILD(stranger);

  /* Root may do all of it. */
  int id = CHECK_OK(semget(KEY, 0, 0777));
  REMOVE_SET(id);
}
