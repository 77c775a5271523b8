/*
 * Calls of one operation and calls of several that alter the set stand in one line, in the order in
 * which they went to sleep, also when the first call of several comes late or leaves early.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);

  /* Each wants the one that is posted. */
  pid_t first = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t other = FORK_SEMOP(id, 0, {1, -1, 0});
  pid_t second = FORK_SEMOP(id, 0, {0, -1, 0}, {2, 1, 0});
  pid_t third = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t fourth = FORK_SEMOP(id, 0, {0, -1, 0}, {2, 1, 0});
  pid_t fifth = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t order[] = {first, second, third, fourth, fifth};
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_PID(id, 0, order[i]);
    CHECK_CHILD(order[i]);
    CHECK_COUNTS(id, 0, 4 - i, 0);
  }
  CHECK_VALUE(id, 2, 2);
  CHECK_COUNTS(id, 1, 1, 0);
  PAUSE_UNTIL_BLOCKED(other);

  /* The calls of several leave the line: those of one keep their order. */
  SET_VALUE(id, 2, 0);
  first = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t complex = FORK_SEMOP(id, 0, {0, -1, 0}, {2, -1, 0});
  second = FORK_SEMOP(id, 0, {0, -1, 0});
  KILL_CHILD(complex);
  third = FORK_SEMOP(id, 0, {0, -1, 0});
  for (int i = 0; i < 3; i++) {
    pid_t child = i == 0 ? first : i == 1 ? second : third;
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_PID(id, 0, child);
    CHECK_CHILD(child);
  }

  /* A call of several that lacks something else holds nothing back and reserves nothing. */
  complex = FORK_SEMOP(id, 0, {0, -1, 0}, {2, -1, 0});
  first = FORK_SEMOP(id, 0, {0, -1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(first);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  first = FORK_SEMOP(id, 0, {0, -2, 0});
  CHECK_EQ(SEMOP(id, {2, 1, 0}), 0);
  CHECK_CHILD(complex);
  CHECK_VALUE(id, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 2, 0}, {1, 1, 0}), 0);
  CHECK_CHILD(first);
  CHECK_CHILD(other);
  REMOVE_SET(id);
}
