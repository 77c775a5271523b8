/*
 * One notification for one registration, when an empty queue gets a message: not when one is there
 * already, until all are received and the next comes. Then the place is free, and stays so.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 3, 8);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
  CHECK_SEND(mq, 0, "1");
  CHECK_STATUS(mq, 1, 0, 0, 0);
  CHECK_SIGNAL(SIGUSR1);
  CHECK_RECEIVE(mq, 0, "1");
  CHECK_SEND(mq, 0, "1");
  CHECK_NO_SIGNAL(SIGUSR1);

  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_SEND(mq, 9, "2");
  CHECK_RECEIVE(mq, 9, "2");
  CHECK_SEND(mq, 0, "3");
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_STATUS(mq, 2, SIGEV_SIGNAL, SIGUSR1, getpid());
  CHECK_RECEIVE(mq, 0, "1");
  CHECK_RECEIVE(mq, 0, "3");
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_SEND(mq, 0, "");
  CHECK_SIGNAL(SIGUSR1);
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_STATUS(mq, 0, 0, 0, 0);
  REMOVE_QUEUE("/q");
}
