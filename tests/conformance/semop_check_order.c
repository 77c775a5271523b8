/*
 * Which error semop() and semtimedop() give when several apply: the address of the timeout, the
 * number of operations, their address, the timeout's value, the id (a negative one is not special),
 * a semaphore that isn't there, rights, and at last the operations one by one.
 */
#include "sem_check.h"

enum { STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  static struct sembuf many[DEFAULT_SEMOPM + 1];
  struct sembuf too_big[] = {{1, -1, 0}};
  struct sembuf* bad = (struct sembuf*)end_of_memory();
  struct timespec *no_time = (struct timespec*)bad, invalid = {0, 1000000000}, zero = {0, 0};
  int id = new_set(1);

#ifdef __LP64__
  CHECK_ERRNO(semtimedop(-1, bad, 0, no_time), EFAULT);
  CHECK_ERRNO(semtimedop(id, many, DEFAULT_SEMOPM + 1, no_time), EFAULT);
#else
  (void)no_time;
#endif
  CHECK_ERRNO(semop(-1, many, DEFAULT_SEMOPM + 1), E2BIG);
  CHECK_ERRNO(semop(id, bad, 0), EINVAL);
  CHECK_ERRNO(semop(-1, bad, 1), EFAULT);
  CHECK_ERRNO(semop(-1, many, 1), EINVAL);
  CHECK_ERRNO(semop(INT_MIN, many, 1), EINVAL);
  CHECK_ERRNO(semop(NO_SUCH_ID, bad, DEFAULT_SEMOPM + 1), E2BIG);
  CHECK_ERRNO(semtimedop(id, bad, DEFAULT_SEMOPM + 1, &invalid), E2BIG);
  CHECK_ERRNO(semop(NO_SUCH_ID, bad, 1), EFAULT);
  CHECK_ERRNO(semtimedop(id, bad, 1, &invalid), EFAULT);
  CHECK_ERRNO(semtimedop(id, too_big, 1, &invalid), EINVAL);
  CHECK_ERRNO(semop(NO_SUCH_ID, too_big, 1), EINVAL);
  CHECK_ERRNO(SEMOP(NO_SUCH_ID, {0, 1, SEM_UNDO}), EINVAL);
  CHECK_ERRNO(semop(id, too_big, 1), EFBIG);
  CHECK_ERRNO(semtimedop(id, too_big, 1, &zero), EFBIG);

  /* EFBIG wherever it stands, before anything that an earlier operation would say. */
  CHECK_ERRNO(SEMOP(id, {0, -1, IPC_NOWAIT}, {1, 1, 0}), EFBIG);
  CHECK_ERRNO(SEMOP(id, {0, 32767, 0}, {0, 1, 0}, {65535, 0, 0}), EFBIG);

  /* ERANGE and EAGAIN: the first in the array. */
  CHECK_ERRNO(SEMOP(id, {0, 32767, 0}, {0, 1, 0}, {0, 0, IPC_NOWAIT}), ERANGE);
  CHECK_ERRNO(SEMOP(id, {0, 1, 0}, {0, 0, IPC_NOWAIT}, {0, 32767, 0}), EAGAIN);
  CHECK_ERRNO(SEMOP(id, {0, -1, IPC_NOWAIT}, {0, 32767, 0}, {0, 32767, 0}), EAGAIN);
  CHECK_VALUE(id, 0, 0);

  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(semop(id, bad, 1), EFAULT);
      CHECK_ERRNO(semtimedop(id, many, 1, &invalid), EINVAL);
      CHECK_ERRNO(semop(id, too_big, 1), EFBIG);
      CHECK_ERRNO(SEMOP(id, {0, -1, IPC_NOWAIT}), EACCES);
      CHECK_ERRNO(SEMOP(id, {0, 0, SEM_UNDO}), EACCES);
      CHECK_ERRNO(SEMOP(id, {0, 32767, 0}, {0, 1, 0}), EACCES);
      _exit(0);
    }
    CHECK_CHILD(child);
  }

  /* Operations are read before anything sleeps, to the byte. */
  struct sembuf* last = bad - 2;
  last[0] = (struct sembuf){0, 1, 0};
  last[1] = (struct sembuf){0, -1, 0};
  CHECK_EQ(semop(id, last, 2), 0);
  CHECK_ERRNO(semop(id, last, 3), EFAULT);
  CHECK_ERRNO(semop(id, (struct sembuf*)((char*)last + 1), 2), EFAULT);
  CHECK_VALUE(id, 0, 0);
  REMOVE_SET(id);
}
