/*
 * IPC_NOWAIT belongs to an operation: the one that blocks decides by its own flag whether the call
 * sleeps. A sleeper whose next obstacle has the flag ends with EAGAIN then.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);
  CHECK_ERRNO(SEMOP(id, {0, -1, IPC_NOWAIT}), EAGAIN);
  CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {0, -1, IPC_NOWAIT}, {2, -1, 0}), EAGAIN);
  CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {1, 0, IPC_NOWAIT}, {2, -1, 0}), EAGAIN);

  /* The flag of the others does not matter: this sleeps. */
  pid_t sleeper = FORK_SEMOP(id, 0, {1, 1, IPC_NOWAIT}, {0, -1, 0}, {1, -1, IPC_NOWAIT});
  CHECK_COUNTS(id, 0, 1, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(sleeper);

  /* First 0 is missing, then 2, with the flag. */
  sleeper = FORK_SEMOP(id, EAGAIN, {0, -1, 0}, {2, -1, IPC_NOWAIT});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(sleeper);
  CHECK_VALUE(id, 0, 1);
  CHECK_PID(id, 0, getpid());
  CHECK_COUNTS(id, 0, 0, 0);

  /* The same waiting for zero; who comes behind is not disturbed. */
  SET_VALUE(id, 1, 1);
  SET_VALUE(id, 2, 1);
  sleeper = FORK_SEMOP(id, EAGAIN, {1, 0, 0}, {2, 0, IPC_NOWAIT});
  pid_t alters = FORK_SEMOP(id, EAGAIN, {1, 0, 0}, {2, 0, IPC_NOWAIT}, {1, 1, 0});
  pid_t next = FORK_SEMOP(id, 0, {1, 0, 0}, {1, 1, 0});
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  CHECK_CHILD(sleeper);
  CHECK_CHILD(alters);
  CHECK_CHILD(next);
  CHECK_VALUE(id, 1, 1);

  /* With everything there at once, the flag is never looked at. */
  SET_VALUE(id, 0, 0);
  sleeper = FORK_SEMOP(id, 0, {0, -1, 0}, {2, -2, IPC_NOWAIT});
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {2, 1, 0}), 0);
  CHECK_CHILD(sleeper);
  CHECK_VALUE(id, 2, 0);
  REMOVE_SET(id);
}
