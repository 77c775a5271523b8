/*
 * Which error semctl() gives when several apply. Negative id or unknown command EINVAL. GETVAL and
 * its like: id EINVAL, EACCES, semaphore EINVAL. SETVAL: ERANGE, id, semaphore, EACCES. GETALL: id,
 * EACCES, EFAULT; SETALL: then ERANGE. IPC_STAT: id, EACCES, EFAULT. IPC_SET: EFAULT, id, EPERM.
 */
#include "sem_check.h"

enum { STRANGER = 10001, NO_SUCH_ID = 12345 };

int main(void) {
  const int gets[] = {GETVAL, GETPID, GETNCNT, GETZCNT};
  int id = new_set(2);
  void* bad = end_of_memory();
  unsigned short *half = (unsigned short*)bad - 1, large[] = {40000, 1};

  for (int i = 0; i < 4; i++) {
    CHECK_EQ(semctl(id, 1, gets[i]), 0);
    CHECK_ERRNO(semctl(id, 2, gets[i]), EINVAL);
    CHECK_ERRNO(semctl(id, -1, gets[i]), EINVAL);
    CHECK_ERRNO(semctl(id, INT_MIN, gets[i]), EINVAL);
    CHECK_ERRNO(semctl(id, 65536, gets[i]), EINVAL);
    CHECK_ERRNO(semctl(-1, 0, gets[i]), EINVAL);
    CHECK_ERRNO(semctl(NO_SUCH_ID, 0, gets[i]), EINVAL);
  }
  CHECK_ERRNO(setval(-1, 0, 32768), EINVAL);
  CHECK_ERRNO(setval(NO_SUCH_ID, 0, 32768), ERANGE);
  CHECK_ERRNO(setval(NO_SUCH_ID, 0, 1), EINVAL);
  CHECK_ERRNO(setval(id, 2, -1), ERANGE);
  CHECK_ERRNO(setval(id, 2, 1), EINVAL);
  CHECK_ERRNO(setval(id, -1, 1), EINVAL);

  /* The number of a semaphore means nothing to the other commands. */
  *half = 40000;
  CHECK_ERRNO(semctl(id, 99, GETALL, half), EFAULT);
  CHECK_ERRNO(semctl(id, -1, SETALL, half), EFAULT);
  CHECK_ERRNO(semctl(id, 99, SETALL, large), ERANGE);
  CHECK_EQ(semctl(id, 99, GETALL, half - 1), 0);
  CHECK_ERRNO(semctl(NO_SUCH_ID, 0, GETALL, bad), EINVAL);
  CHECK_ERRNO(semctl(NO_SUCH_ID, 0, SETALL, bad), EINVAL);
  CHECK_ERRNO(semctl(NO_SUCH_ID, 0, IPC_STAT, bad), EINVAL);
  CHECK_ERRNO(semctl(id, -5, IPC_STAT, bad), EFAULT);
  CHECK_ERRNO(semctl(NO_SUCH_ID, 0, IPC_SET, bad), EFAULT);
  CHECK_ERRNO(semctl(-1, 0, IPC_SET, bad), EINVAL);
  CHECK_ERRNO(semctl(NO_SUCH_ID, 0, IPC_INFO, bad), EFAULT);
  CHECK_ERRNO(semctl(-1, 0, SEM_INFO, bad), EINVAL);

  /* Commands of other calls, and none. 11 is msgctl's MSG_STAT. */
  const int unknown[] = {4, 10, 21, 99, 0x200, INT_MAX, -1, INT_MIN};
  for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    CHECK_ERRNO(semctl(id, 0, unknown[i], bad), EINVAL);
    CHECK_ERRNO(semctl(NO_SUCH_ID, 0, unknown[i], bad), EINVAL);
  }

  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      for (int i = 0; i < 4; i++) CHECK_ERRNO(semctl(id, 2, gets[i]), EACCES);
      CHECK_ERRNO(setval(id, 0, -1), ERANGE);
      CHECK_ERRNO(setval(id, 2, 1), EINVAL);
      CHECK_ERRNO(setval(id, 0, 1), EACCES);
      CHECK_ERRNO(semctl(id, 0, GETALL, bad), EACCES);
      CHECK_ERRNO(semctl(id, 0, SETALL, bad), EACCES);
      CHECK_ERRNO(semctl(id, 0, SETALL, large), EACCES);
      CHECK_ERRNO(semctl(id, 0, IPC_STAT, bad), EACCES);
      CHECK_ERRNO(semctl(id % SEQUENCE, 0, SEM_STAT, bad), EACCES);
      CHECK_ERRNO(semctl(id % SEQUENCE, 0, SEM_STAT_ANY, bad), EFAULT);
      CHECK_ERRNO(semctl(id, 0, IPC_SET, bad), EFAULT);
      CHECK_ERRNO(semctl(id, 0, IPC_RMID), EPERM);
      CHECK_ERRNO(semctl(NO_SUCH_ID, 0, IPC_RMID), EINVAL);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  CHECK_EQ(semctl(id, 99, IPC_RMID), 0);
}
