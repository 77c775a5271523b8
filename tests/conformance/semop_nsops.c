/*
 * 1 to 500 operations in a call; 0 is EINVAL, more is E2BIG. The kernel takes the low 32 bits of
 * the number.
 */
#include "sem_check.h"

int main(void) {
  static struct sembuf ops[DEFAULT_SEMOPM + 1];
  int id = new_set(DEFAULT_SEMOPM + 1);
  for (int i = 0; i <= DEFAULT_SEMOPM; i++) ops[i] = (struct sembuf){i, i + 1, 0};

  CHECK_ERRNO(semop(id, ops, 0), EINVAL);
  CHECK_ERRNO(semop(id, NULL, 0), EINVAL);
  CHECK_ERRNO(semop(id, ops, DEFAULT_SEMOPM + 1), E2BIG);
  CHECK_ERRNO(semop(id, NULL, UINT_MAX), E2BIG);
  CHECK_EQ(semop(id, ops, DEFAULT_SEMOPM), 0);
  for (int i = 0; i < DEFAULT_SEMOPM; i++) CHECK_VALUE(id, i, i + 1);
  CHECK_VALUE(id, DEFAULT_SEMOPM, 0);
#ifdef __LP64__
  CHECK_EQ(semop(id, ops, (1ul << 32) + 1), 0);
  CHECK_VALUE(id, 0, 2);
  CHECK_VALUE(id, 1, 2);
  CHECK_ERRNO(semop(id, ops, 1ul << 32), EINVAL);
  CHECK_ERRNO(semop(id, ops, -1ul), E2BIG);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
#endif

  /* All 500 on one semaphore, and a sleeper with 500. */
  for (int i = 0; i < DEFAULT_SEMOPM; i++) ops[i] = (struct sembuf){DEFAULT_SEMOPM, 1, SEM_UNDO};
  pid_t adder = fork_child();
  if (adder == 0) {
    CHECK_EQ(semop(id, ops, DEFAULT_SEMOPM), 0);
    CHECK_VALUE(id, DEFAULT_SEMOPM, DEFAULT_SEMOPM);
    _exit(0);
  }
  CHECK_CHILD(adder);
  CHECK_VALUE(id, DEFAULT_SEMOPM, 0);

  for (int i = 0; i < DEFAULT_SEMOPM; i++) ops[i] = (struct sembuf){DEFAULT_SEMOPM - i, -1, 0};
  pid_t sleeper = fork_child();
  if (sleeper == 0) {
    CHECK_EQ(semop(id, ops, DEFAULT_SEMOPM), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_COUNTS(id, DEFAULT_SEMOPM, 1, 0);
  CHECK_EQ(SEMOP(id, {DEFAULT_SEMOPM, 1, 0}), 0);
  CHECK_CHILD(sleeper);
  for (int i = 1; i < DEFAULT_SEMOPM; i++) CHECK_VALUE(id, i, i);
  CHECK_VALUE(id, 0, 1);
  REMOVE_SET(id);
}
