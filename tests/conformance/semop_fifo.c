/*
 * Equal waiters are served in the order in which they went to sleep, and directly: a poster finds
 * the value unchanged and can't take back what it gave, whether or not the sleeper has run since.
 */
#include "sem_check.h"

enum { WAITERS = 5 };

int main(void) {
  int id = new_set(2);
  pid_t waiters[WAITERS];
  for (int i = 0; i < WAITERS; i++) waiters[i] = FORK_SEMOP(id, 0, {1, -1, 0});

  /* One at a time. */
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
    CHECK_PID(id, 1, waiters[i]);
    CHECK_ERRNO(SEMOP(id, {1, -1, IPC_NOWAIT}), EAGAIN);
    CHECK_VALUE(id, 1, 0);
    CHECK_COUNTS(id, 1, WAITERS - 1 - i, 0);
    CHECK_CHILD(waiters[i]);
  }
  for (int i = 2; i < WAITERS; i++) PAUSE_UNTIL_BLOCKED(waiters[i]);

  /* Two at once: the pid is of the later. */
  CHECK_EQ(SEMOP(id, {1, 2, 0}), 0);
  CHECK_PID(id, 1, waiters[3]);
  CHECK_CHILD(waiters[2]);
  CHECK_CHILD(waiters[3]);
  CHECK_COUNTS(id, 1, 1, 0);

  /* Who goes to sleep again goes to the end. */
  pid_t last = FORK_SEMOP(id, 0, {1, -1, 0});
  KILL_CHILD(waiters[4]);
  waiters[4] = FORK_SEMOP(id, 0, {1, -1, 0});
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  CHECK_PID(id, 1, last);
  CHECK_CHILD(last);
  PAUSE_UNTIL_BLOCKED(waiters[4]);
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  CHECK_CHILD(waiters[4]);
  CHECK_VALUE(id, 1, 0);
  REMOVE_SET(id);
}
