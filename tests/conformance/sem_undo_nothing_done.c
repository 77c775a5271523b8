/*
 * What was not done is not taken back: a call with SEM_UNDO that failed, whose sleeper was killed,
 * interrupted or timed out, or that the set refused. What a sleeper was granted is.
 */
#include "sem_check.h"

static void on_signal(int number) { (void)number; }

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 1, 5);
  pid_t failing = fork_child();
  if (failing == 0) {
    struct timespec soon = {0, 1000000};
    CHECK_ERRNO(SEMOP(id, {1, -1, SEM_UNDO}, {0, -1, SEM_UNDO | IPC_NOWAIT}), EAGAIN);
    CHECK_ERRNO(SEMOP(id, {1, 1, SEM_UNDO}, {1, 32767, SEM_UNDO}), ERANGE);
    CHECK_ERRNO(SEMOP(id, {1, 1, SEM_UNDO}, {2, 1, SEM_UNDO}), EFBIG);
    CHECK_ERRNO(semtimedop(id, OPS({1, -1, SEM_UNDO}, {0, -1, SEM_UNDO}), &soon), EAGAIN);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    CHECK_ERRNO(SEMOP(id, {1, -1, SEM_UNDO}, {0, -1, SEM_UNDO}), EINTR);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(failing);
  kill(failing, SIGUSR1);
  CHECK_CHILD(failing);
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 5);
  CHECK_PID(id, 1, getpid());

  pid_t killed = FORK_SEMOP(id, 0, {1, -1, SEM_UNDO}, {0, -1, SEM_UNDO});
  KILL_CHILD(killed);
  CHECK_VALUE(id, 1, 5);
  CHECK_PID(id, 1, getpid());

  /* An operation and its opposite leave nothing: no adjustment, and the pid stays. */
  pid_t balanced = FORK_HOLDER(id, {1, -1, SEM_UNDO}, {1, 1, SEM_UNDO}, {0, 0, SEM_UNDO});
  CHECK_EQ(SEMOP(id, {1, 1, 0}, {1, -1, 0}), 0);
  kill_to_zombie(balanced);
  CHECK_PID(id, 0, balanced);
  CHECK_PID(id, 1, getpid());
  CHECK_VALUE(id, 1, 5);
  KILL_CHILD(balanced);

  /* Half of it given back without the flag: all of it is taken back. */
  pid_t careless = fork_child();
  if (careless == 0) {
    CHECK_EQ(SEMOP(id, {1, -2, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(id, {1, 2, 0}), 0);
    _exit(0);
  }
  CHECK_CHILD(careless);
  CHECK_VALUE(id, 1, 7);

  pid_t granted = FORK_SEMOP(id, 0, {1, -3, SEM_UNDO}, {0, -1, 0});
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(granted);
  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 7);
  CHECK_PID(id, 1, granted);
  REMOVE_SET(id);
}
