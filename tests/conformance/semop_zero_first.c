/*
 * When a semaphore becomes zero, all who only wait for zero go before anyone who also alters it, no
 * matter who came first: the plain ones, then those of several operations.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 0, 1);

  /* Waits for zero and locks: the first in time, the last to be looked at. */
  pid_t locker = FORK_SEMOP(id, 0, {0, 0, 0}, {0, 1, 0});
  pid_t second_locker = FORK_SEMOP(id, 0, {0, 0, 0}, {0, 1, 0});
  pid_t complex_watcher = FORK_SEMOP(id, 0, {0, 0, 0}, {1, 0, 0});
  pid_t watcher = FORK_SEMOP(id, 0, {0, 0, 0});
  pid_t watcher_twice = FORK_SEMOP(id, 0, {0, 0, 0}, {0, 0, 0});
  CHECK_COUNTS(id, 0, 0, 5);

  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_CHILD(watcher);
  CHECK_CHILD(complex_watcher);
  CHECK_CHILD(watcher_twice);
  CHECK_CHILD(locker);
  CHECK_VALUE(id, 0, 1);
  CHECK_PID(id, 0, locker);
  CHECK_COUNTS(id, 0, 0, 1);
  PAUSE_UNTIL_BLOCKED(second_locker);

  /* The same by SETVAL. */
  watcher = FORK_SEMOP(id, 0, {0, 0, 0});
  SET_VALUE(id, 0, 0);
  CHECK_CHILD(watcher);
  CHECK_CHILD(second_locker);
  CHECK_VALUE(id, 0, 1);

  /* A value that is zero only between two sleepers, who go at one stroke, is seen too. */
  pid_t taker = FORK_SEMOP(id, 0, {1, -1, 0}, {0, -1, 0});
  locker = FORK_SEMOP(id, 0, {0, 0, 0}, {0, 2, 0});
  watcher = FORK_SEMOP(id, 0, {0, 0, 0});
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  CHECK_VALUE(id, 0, 2);
  CHECK_CHILD(taker);
  CHECK_CHILD(watcher);
  CHECK_CHILD(locker);

  /* A zero inside one call is not. */
  watcher = FORK_SEMOP(id, 0, {0, 0, 0});
  CHECK_EQ(SEMOP(id, {0, -2, 0}, {0, 0, 0}, {0, 1, 0}), 0);
  PAUSE_UNTIL_BLOCKED(watcher);
  CHECK_COUNTS(id, 0, 0, 1);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_CHILD(watcher);
  REMOVE_SET(id);
}
