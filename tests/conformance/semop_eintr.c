/*
 * A signal handler ends a blocked semop() with EINTR, SA_RESTART or not, with nothing done. Signals
 * that are ignored or blocked do not disturb it.
 */
#include "sem_check.h"

static void on_signal(int number) { (void)number; }

static pid_t interruptible_sleeper(int id, int flags, int how) {
  pid_t child = fork_child();
  if (child == 0) {
    struct timespec long_time = {1000, 0};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    switch (how) {
      case 0: CHECK_ERRNO(SEMOP(id, {0, -1, SEM_UNDO}), EINTR); break;
      case 1: CHECK_ERRNO(SEMOP(id, {1, 0, 0}), EINTR); break;
      case 2: CHECK_ERRNO(SEMOP(id, {1, 1, 0}, {0, -1, 0}), EINTR); break;
      case 3: CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &long_time), EINTR); break;
    }
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 1, 1);

  const int flags[] = {0, SA_RESTART};
  for (int i = 0; i < 2; i++) {
    for (int how = 0; how < 4; how++) {
      pid_t sleeper = interruptible_sleeper(id, flags[i], how);
      const int harmless[] = {SIGUSR2, SIGHUP, SIGWINCH, SIGCHLD, SIGCONT};
      for (int n = 0; n < 5; n++) kill(sleeper, harmless[n]);
      PAUSE_UNTIL_BLOCKED(sleeper);
      kill(sleeper, SIGUSR1);
      CHECK_CHILD(sleeper);
      CHECK_COUNTS(id, 0, 0, 0);
      CHECK_COUNTS(id, 1, 0, 0);
    }
  }

  CHECK_VALUE(id, 0, 0);
  CHECK_PID(id, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  CHECK_VALUE(id, 1, 0);

  /* A pending signal does not matter to a call that need not sleep. */
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  signal(SIGUSR1, on_signal);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  struct timespec soon = {0, 5000000};
  CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &soon), EAGAIN);
  REMOVE_SET(id);
}
