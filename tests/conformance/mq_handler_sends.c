/*
 * mq_send(), mq_receive() and the rest may be called in a signal handler, also in one that disturbs
 * a sleeping call on the same queue.
 */
#include "mq_check.h"

static mqd_t mq;

static void on_signal(int number) {
  (void)number;
  CHECK_SEND(mq, 3, "handler");
  CHECK_CURMSGS(mq, 1);
  CHECK_RECEIVE(mq, 3, "handler");
  CHECK_SEND(mq, 4, "for main");
}

int main(void) {
  mq = NEW_QUEUE("/q", 2, 8);
  pid_t child = fork_child();
  if (child == 0) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    check_receive(__FILE__, __LINE__, mq, 4, "for main", NULL);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
