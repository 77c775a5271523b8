/*
 * A message that goes to a sleeping receiver notifies no one, and the registration stays. One that
 * a sleeping sender gets in, when the queue's only message is received, notifies no one either,
 * though the queue was empty for a moment.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t receiver = FORK_RECEIVER(mq, 0, "handed");
  CHECK_SEND(mq, 0, "handed");
  CHECK_CHILD(receiver);
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
  CHECK_SEND(mq, 0, "queued");
  CHECK_SIGNAL(SIGUSR1);

  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t sender = FORK_SENDER(mq, 0, "next");
  CHECK_RECEIVE(mq, 0, "queued");
  CHECK_CHILD(sender);
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_STATUS(mq, 4, SIGEV_SIGNAL, SIGUSR1, getpid());
  CHECK_RECEIVE(mq, 0, "next");
  CHECK_SEND(mq, 0, "last");
  CHECK_SIGNAL(SIGUSR1);
  REMOVE_QUEUE("/q");
}
