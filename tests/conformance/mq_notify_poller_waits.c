/* Who waits in poll(2) is no receiver: both are told, the poller and the registered process. */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t poller = fork_child();
  if (poller == 0) {
    struct pollfd one = {mq, POLLIN, 0};
    CHECK_EQ(poll(&one, 1, -1), 1);
    CHECK_EQ(one.revents, POLLIN);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(poller);
  CHECK_SEND(mq, 0, "x");
  CHECK_CHILD(poller);
  CHECK_SIGNAL(SIGUSR1);
  REMOVE_QUEUE("/q");
}
