/*
 * A call of several waits for zero is looked at again only when an operation leaves one of the
 * semaphores it names at zero. Until then GETZCNT counts it where it blocked when last looked at,
 * though by now an earlier one of its semaphores would block.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(4);
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {1, 1, 0}), 0);
  pid_t zeros = FORK_SEMOP(id, 0, {0, 0, 0}, {1, 0, 0});
  CHECK_COUNTS(id, 0, 0, 1);
  CHECK_COUNTS(id, 1, 0, 0);

  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_COUNTS(id, 1, 0, 1);

  /* 0 would block first again, but nobody has looked. */
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_COUNTS(id, 1, 0, 1);
  CHECK_EQ(SEMOP(id, {2, 0, 0}), 0);
  CHECK_EQ(SEMOP(id, {2, 1, 0}), 0);
  CHECK_COUNTS(id, 1, 0, 1);

  /* Any semaphore of the operations, left at zero by a call that alters something. */
  CHECK_EQ(SEMOP(id, {2, -1, 0}), 0);
  CHECK_COUNTS(id, 0, 0, 1);
  CHECK_COUNTS(id, 1, 0, 0);

  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_COUNTS(id, 1, 0, 1);
  CHECK_EQ(SEMOP(id, {3, 0, 0}, {2, 1, 0}), 0);
  CHECK_COUNTS(id, 0, 0, 1);

  /* SETVAL looks when any semaphore of the set is zero. */
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_COUNTS(id, 1, 0, 1);
  SET_VALUE(id, 3, 4);
  SET_VALUE(id, 2, 4);
  CHECK_COUNTS(id, 1, 0, 1);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_COUNTS(id, 1, 0, 1);
  SET_VALUE(id, 0, 4);
  CHECK_COUNTS(id, 1, 0, 1);
  SET_VALUE(id, 3, 0);
  CHECK_COUNTS(id, 0, 0, 1);

  CHECK_EQ(SEMOP(id, {0, -4, 0}, {1, -1, 0}), 0);
  CHECK_CHILD(zeros);

  /* One that alters, too, is looked at after every change: it is counted where it blocks now. */
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {1, 1, 0}), 0);
  pid_t locker = FORK_SEMOP(id, 0, {0, 0, 0}, {1, 0, 0}, {3, 1, 0});
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_COUNTS(id, 1, 0, 1);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_COUNTS(id, 0, 0, 1);
  CHECK_COUNTS(id, 1, 0, 0);
  KILL_CHILD(locker);
  REMOVE_SET(id);
}
