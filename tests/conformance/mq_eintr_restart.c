/*
 * A signal handler ends a sleeping call with EINTR, and its message is never sent; with SA_RESTART
 * the call goes on, after the handler, as a new sleeper. Signals that are ignored or blocked do not
 * disturb it.
 */
#include "mq_check.h"

static void on_signal(int number) { (void)number; }

static pid_t interruptible(mqd_t mq, int flags, bool sends, int want) {
  pid_t child = fork_child();
  if (child == 0) {
    char room[8];
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    block_signal(SIGHUP);
    errno = 0;
    long got = sends ? mq_send(mq, "late", 4, 9) : mq_receive(mq, room, sizeof room, NULL);
    if (want == EINTR)
      CHECK(got == -1 && errno == EINTR);
    else
      CHECK_EQ(got, sends ? 0 : 4);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  const int harmless[] = {SIGUSR2, SIGHUP, SIGWINCH, SIGCHLD};
  for (int n = 0; n < 4; n++) {
    kill(child, harmless[n]);
    PAUSE_UNTIL_BLOCKED(child);
  }
  return child;
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  pid_t child = interruptible(mq, 0, false, EINTR);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);

  child = interruptible(mq, SA_RESTART, false, 0);
  pid_t next = FORK_RECEIVER(mq, 0, "1");
  kill(child, SIGUSR1);
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "1");
  CHECK_CHILD(next);
  CHECK_SEND(mq, 0, "late");
  CHECK_CHILD(child);

  CHECK_SEND(mq, 0, "full");
  child = interruptible(mq, 0, true, EINTR);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);
  child = interruptible(mq, SA_RESTART, true, 0);
  kill(child, SIGUSR1);
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_RECEIVE(mq, 0, "full");
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 9, "late");
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
