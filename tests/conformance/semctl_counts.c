/*
 * GETNCNT counts who waits for more, GETZCNT who waits for zero. A call of several operations
 * counts once, for the first that can't proceed; which that is changes with the values.
 */
#include "sem_check.h"

static int id;

static void check_all(int ncnt0, int zcnt0, int ncnt1, int zcnt1, int ncnt2, int zcnt2) {
  CHECK_COUNTS(id, 0, ncnt0, zcnt0);
  CHECK_COUNTS(id, 1, ncnt1, zcnt1);
  CHECK_COUNTS(id, 2, ncnt2, zcnt2);
}

int main(void) {
  id = new_set(3);
  check_all(0, 0, 0, 0, 0, 0);

  /* Of one operation. */
  SET_VALUE(id, 2, 1);
  pid_t one = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t two = FORK_SEMOP(id, 0, {0, -2, 0});
  pid_t zero = FORK_SEMOP(id, 0, {2, 0, 0});
  check_all(2, 0, 0, 0, 0, 1);

  /* Of several, by the first that blocks, whatever else would block. */
  pid_t both = FORK_SEMOP(id, 0, {1, -1, 0}, {0, -1, 0});
  pid_t mixed = FORK_SEMOP(id, 0, {1, 1, 0}, {2, 0, 0}, {0, -3, 0});
  pid_t twice = FORK_SEMOP(id, 0, {1, -1, 0}, {1, -1, 0});
  pid_t raised = FORK_SEMOP(id, 0, {1, 1, 0}, {1, 0, 0}, {2, -9, 0});
  check_all(2, 0, 2, 1, 0, 2);

  /* 1 may go down now: `both` waits for 0, `twice` still for 1, `raised` for zero as before. */
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  check_all(3, 0, 1, 1, 0, 2);
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  check_all(2, 0, 2, 1, 0, 2);

  /* 2 becomes zero: the plain waiter goes, `mixed` waits for 0 next. */
  CHECK_EQ(SEMOP(id, {2, -1, 0}), 0);
  CHECK_CHILD(zero);
  check_all(3, 0, 2, 1, 0, 0);
  CHECK_EQ(SEMOP(id, {2, 1, 0}), 0);
  check_all(2, 0, 2, 1, 0, 1);

  KILL_CHILD(mixed);
  KILL_CHILD(raised);
  check_all(2, 0, 2, 0, 0, 0);
  KILL_CHILD(both);
  KILL_CHILD(twice);
  check_all(2, 0, 0, 0, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(one);
  check_all(1, 0, 0, 0, 0, 0);
  KILL_CHILD(two);
  check_all(0, 0, 0, 0, 0, 0);
  REMOVE_SET(id);
}
