/*
 * A killed sleeper is no longer counted, and no longer served, as soon as it is a zombie; nor one
 * that a signal or a timeout has taken out of the line.
 */
#include "sem_check.h"

enum { ROUNDS = 5 };

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 1, 1);
  for (int i = 0; i < ROUNDS; i++) {
    pid_t minus = FORK_SEMOP(id, 0, {0, -1, SEM_UNDO});
    pid_t zero = FORK_SEMOP(id, 0, {1, 0, 0});
    pid_t complex = FORK_SEMOP(id, 0, {0, -1, 0}, {1, 1, 0});
    CHECK_COUNTS(id, 0, 2, 0);
    CHECK_COUNTS(id, 1, 0, 1);

    kill_to_zombie(minus);
    CHECK_COUNTS(id, 0, 1, 0);
    kill_to_zombie(complex);
    CHECK_COUNTS(id, 0, 0, 0);
    kill_to_zombie(zero);
    CHECK_COUNTS(id, 1, 0, 0);

    /* What is posted stays. */
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_EQ(SEMOP(id, {0, -1, IPC_NOWAIT}), 0);
    CHECK_PID(id, 0, getpid());
    KILL_CHILD(minus);
    KILL_CHILD(zero);
    KILL_CHILD(complex);
  }

  /* The next in the line is served, with the killed not yet reaped. */
  pid_t killed = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t next = FORK_SEMOP(id, 0, {0, -1, 0});
  kill_to_zombie(killed);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_PID(id, 0, next);
  CHECK_CHILD(next);
  KILL_CHILD(killed);

  /* By a timeout: gone when the call has returned. */
  struct timespec soon = {0, 1000000};
  CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &soon), EAGAIN);
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_ERRNO(semtimedop(id, OPS({1, 0, 0}, {0, 1, 0}), &soon), EAGAIN);
  CHECK_COUNTS(id, 1, 0, 0);
  REMOVE_SET(id);
}
