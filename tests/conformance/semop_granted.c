/*
 * A sleeper that was served has its 0, whatever comes before it runs again: a signal, IPC_RMID. If
 * it is killed then, its SEM_UNDO operations are taken back; others stay. A signal that has woken
 * it does not take it out of the line before it runs.
 */
#include "sem_check.h"

static int id;

static void on_signal(int number) { (void)number; }

static pid_t fork_sleeper(int flags) {
  pid_t child = fork_child();
  if (child == 0) {
    signal(SIGUSR1, on_signal);
    CHECK_EQ(SEMOP(id, {0, -1, flags}), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  need_wake_order();
  id = new_set(1);
  pid_t child = fork_sleeper(0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);

  child = fork_sleeper(0);
  kill(child, SIGUSR1);
  CHECK_COUNTS(id, 0, 1, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 0);

  child = fork_sleeper(0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  kill(child, SIGKILL);
  KILL_CHILD(child);
  CHECK_VALUE(id, 0, 0);
  CHECK_PID(id, 0, child);

  child = fork_sleeper(SEM_UNDO);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 0);
  kill(child, SIGKILL);
  KILL_CHILD(child);
  CHECK_VALUE(id, 0, 1);
  SET_VALUE(id, 0, 0);

  child = fork_sleeper(SEM_UNDO);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  REMOVE_SET(id);
  CHECK_CHILD(child);
}
