/*
 * A sleeper that is let go may free others, in front of it or behind it: all go at one stroke
 * before the call that started it returns.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(5);
  pid_t links[4];

  /* Each hands on to the one in front of it in the line. */
  for (int i = 3; i >= 0; i--) links[i] = FORK_SEMOP(id, 0, {i, -1, 0}, {i + 1, 1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 4, 1);
  for (int i = 0; i < 4; i++) {
    CHECK_VALUE(id, i, 0);
    CHECK_PID(id, i, links[i]);
    CHECK_CHILD(links[i]);
  }
  CHECK_PID(id, 4, links[3]);

  /* A chain through calls of one operation and a wait for zero. */
  pid_t plain = FORK_SEMOP(id, 0, {2, -1, 0});
  pid_t zero = FORK_SEMOP(id, 0, {4, 0, 0});
  pid_t after_zero = FORK_SEMOP(id, 0, {4, 0, 0}, {3, 1, 0});
  pid_t end = FORK_SEMOP(id, 0, {3, -1, 0});
  pid_t start = FORK_SEMOP(id, 0, {0, -1, 0}, {4, -1, 0}, {2, 1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  for (int i = 0; i < 5; i++) {
    CHECK_VALUE(id, i, 0);
    CHECK_COUNTS(id, i, 0, 0);
  }
  CHECK_CHILD(start);
  CHECK_CHILD(plain);
  CHECK_CHILD(zero);
  CHECK_CHILD(after_zero);
  CHECK_CHILD(end);

  /* The line is looked at from its front again after each: the older of two goes first. */
  pid_t older = FORK_SEMOP(id, 0, {1, -1, 0});
  pid_t giver = FORK_SEMOP(id, 0, {0, -1, 0}, {1, 1, 0});
  pid_t younger = FORK_SEMOP(id, 0, {1, -1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(giver);
  CHECK_CHILD(older);
  PAUSE_UNTIL_BLOCKED(younger);

  /* What one call adds and takes away again never was there. */
  CHECK_EQ(SEMOP(id, {1, 1, 0}, {1, -1, 0}), 0);
  PAUSE_UNTIL_BLOCKED(younger);
  CHECK_EQ(SEMOP(id, {1, 3, 0}, {1, -2, 0}), 0);
  CHECK_CHILD(younger);
  CHECK_VALUE(id, 1, 0);
  REMOVE_SET(id);
}
