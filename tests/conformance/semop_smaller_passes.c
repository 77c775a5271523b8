/*
 * The line is served from its front, but who can't go blocks nobody: a smaller request behind a
 * larger one passes, and a newcomer that finds enough takes it at once.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(1);
  pid_t five = FORK_SEMOP(id, 0, {0, -5, 0});
  pid_t two = FORK_SEMOP(id, 0, {0, -2, 0});
  pid_t one = FORK_SEMOP(id, 0, {0, -1, 0});

  /* 1 is enough for the last in the line only. */
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(one);
  CHECK_COUNTS(id, 0, 2, 0);

  /* A newcomer passes both. */
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);

  /* 4 satisfies the second, and 2 remain. */
  CHECK_EQ(SEMOP(id, {0, 4, 0}), 0);
  CHECK_CHILD(two);
  CHECK_VALUE(id, 0, 2);
  PAUSE_UNTIL_BLOCKED(five);

  /* 5 in all: the first in the line goes, a later one that would fit too does not. */
  pid_t three = FORK_SEMOP(id, 0, {0, -3, 0});
  CHECK_EQ(SEMOP(id, {0, 3, 0}), 0);
  CHECK_CHILD(five);
  CHECK_VALUE(id, 0, 0);
  PAUSE_UNTIL_BLOCKED(three);

  /* 7 are enough for the first and the third of three. */
  five = FORK_SEMOP(id, 0, {0, -5, 0});
  pid_t four = FORK_SEMOP(id, 0, {0, -4, 0});
  CHECK_EQ(SEMOP(id, {0, 7, 0}), 0);
  CHECK_CHILD(three);
  CHECK_CHILD(four);
  CHECK_VALUE(id, 0, 0);
  PAUSE_UNTIL_BLOCKED(five);
  CHECK_EQ(SEMOP(id, {0, 6, 0}), 0);
  CHECK_CHILD(five);
  CHECK_VALUE(id, 0, 1);
  REMOVE_SET(id);
}
