/*
 * Adjustments of a dying process wake who waits, as the values after all of them allow: several at
 * once, those of several operations, those for zero, and those who fall behind the maximum.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);
  SET_VALUE(id, 0, 3);
  SET_VALUE(id, 2, 10);
  pid_t holder = FORK_HOLDER(id, {0, -3, SEM_UNDO}, {1, 2, SEM_UNDO}, {2, -6, SEM_UNDO});
  pid_t zero = FORK_SEMOP(id, 0, {1, 0, 0});
  pid_t one = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t both = FORK_SEMOP(id, 0, {0, -1, 0}, {2, -8, 0});
  pid_t locker = FORK_SEMOP(id, 0, {1, 0, 0}, {1, 1, 0});
  pid_t overflow = FORK_SEMOP(id, ERANGE, {0, -1, 0}, {2, SEM_VALUE_MAXIMUM, 0});
  pid_t last = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t late = FORK_SEMOP(id, 0, {0, -1, 0});
  kill_to_zombie(holder);

  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 1);
  CHECK_VALUE(id, 2, 2);
  CHECK_PID(id, 0, last);
  CHECK_PID(id, 1, locker);
  CHECK_PID(id, 2, both);
  CHECK_CHILD(zero);
  CHECK_CHILD(one);
  CHECK_CHILD(both);
  CHECK_CHILD(locker);
  CHECK_CHILD(overflow);
  CHECK_CHILD(last);
  PAUSE_UNTIL_BLOCKED(late);
  KILL_CHILD(holder);

  /* A sleeper that is itself a holder; its own end, too. */
  pid_t chain[3];
  KILL_CHILD(late);
  SET_VALUE(id, 0, 1);
  chain[0] = FORK_HOLDER(id, {0, -1, SEM_UNDO});
  for (int i = 1; i < 3; i++) chain[i] = FORK_SEMOP(id, 0, {0, -1, SEM_UNDO});
  KILL_CHILD(chain[0]);
  for (int i = 1; i < 3; i++) CHECK_CHILD(chain[i]);
  CHECK_VALUE(id, 0, 1);
  CHECK_PID(id, 0, chain[2]);
  REMOVE_SET(id);
}
