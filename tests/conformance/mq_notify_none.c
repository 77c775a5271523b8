/*
 * SIGEV_NONE takes the place and tells nothing; the first message frees the place. read(2) shows it
 * as NOTIFY:1, without a signal. Signal number 0, which is accepted, does the same.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  struct sigevent none = {.sigev_notify = SIGEV_NONE, .sigev_signo = SIGKILL};
  CHECK_EQ(mq_notify(mq, &none), 0);
  CHECK_STATUS(mq, 0, SIGEV_NONE, 0, getpid());
  CHECK_ERRNO(mq_notify(mq, &none), EBUSY);
  CHECK_SEND(mq, 0, "x");
  CHECK_STATUS(mq, 1, 0, 0, 0);
  CHECK_RECEIVE(mq, 0, "x");

  CHECK_EQ(notify_by_signal(mq, 0), 0);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, 0, getpid());
  CHECK_SEND(mq, 0, "x");
  CHECK_STATUS(mq, 1, 0, 0, 0);
  REMOVE_QUEUE("/q");
}
