/*
 * SIGSTOP ends a blocked semop() and semtimedop(): the call leaves the line when the process stops
 * and returns EINTR after SIGCONT, without any handler.
 */
#include "sem_check.h"

static void stop(pid_t child) {
  kill(child, SIGSTOP);
  while (task_state(child) != 'T') sleep_ms(1);
}

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 1, 1);
  pid_t minus = FORK_SEMOP(id, EINTR, {0, -1, 0});
  pid_t zero = FORK_SEMOP(id, EINTR, {1, 0, 0});
  pid_t complex = FORK_SEMOP(id, EINTR, {0, -1, SEM_UNDO}, {1, 1, 0});
  pid_t timed = fork_child();
  if (timed == 0) {
    struct timespec long_time = {1000, 0};
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &long_time), EINTR);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(timed);
  pid_t next = FORK_SEMOP(id, 0, {0, -1, 0});
  CHECK_COUNTS(id, 0, 4, 0);
  CHECK_COUNTS(id, 1, 0, 1);

  pid_t all[] = {minus, zero, complex, timed};
  for (int i = 0; i < 4; i++) stop(all[i]);
  CHECK_COUNTS(id, 0, 1, 0);
  CHECK_COUNTS(id, 1, 0, 0);

  /* The one behind them is served, and what is left over is nobody's. */
  CHECK_EQ(SEMOP(id, {0, 2, 0}), 0);
  CHECK_CHILD(next);
  CHECK_VALUE(id, 0, 1);
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  for (int i = 0; i < 4; i++) {
    kill(all[i], SIGCONT);
    CHECK_CHILD(all[i]);
  }
  CHECK_VALUE(id, 0, 1);
  CHECK_VALUE(id, 1, 0);

  /* A process stopped and continued with the same call still possible: EINTR all the same. */
  pid_t child = FORK_SEMOP(id, EINTR, {0, -2, 0});
  stop(child);
  REMOVE_SET(id);
  kill(child, SIGCONT);
  CHECK_CHILD(child);
}
