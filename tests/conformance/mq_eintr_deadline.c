/*
 * Calls with a deadline, too, are EINTR without SA_RESTART, and go on with it until the same
 * deadline, however often they are disturbed. A signal that comes when the message has been handed
 * over does not turn success into EINTR.
 */
#include "mq_check.h"

static void on_signal(int number) { (void)number; }

static pid_t timed_receiver(mqd_t mq, int flags, long ms, int want) {
  pid_t child = fork_child();
  if (child == 0) {
    char room[8];
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    struct timespec deadline = after_ms(ms);
    CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &deadline), want);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  pid_t child = timed_receiver(mq, 0, 15000, EINTR);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);

  child = timed_receiver(mq, SA_RESTART, 1000, ETIMEDOUT);
  for (int i = 0; i < 5; i++) {
    kill(child, SIGUSR1);
    sleep_ms(5);
  }
  CHECK_CHILD(child);

  for (int i = 0; i < 100; i++) {
    child = fork_child();
    if (child == 0) {
      struct sigaction action = {.sa_handler = on_signal};
      sigaction(SIGUSR1, &action, NULL);
      check_receive(__FILE__, __LINE__, mq, 0, "x", NULL);
      _exit(0);
    }
    PAUSE_UNTIL_BLOCKED(child);
    CHECK_SEND(mq, 0, "x");
    kill(child, SIGUSR1);
    CHECK_CHILD(child);
  }
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
