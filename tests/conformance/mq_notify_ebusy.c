/*
 * One process at a time is registered: another, or the same again, is EBUSY. NULL removes the
 * caller's registration, and leaves that of another alone, with success.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  block_signal(SIGUSR1);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_ERRNO(notify_by_signal(mq, SIGUSR1), EBUSY);
  CHECK_ERRNO(notify_by_signal(same, SIGUSR2), EBUSY);
  CHECK_ERRNO(mq_notify(mq, &none), EBUSY);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_ERRNO(notify_by_signal(mq, SIGUSR2), EBUSY);
    CHECK_EQ(mq_notify(mq, NULL), 0);
    CHECK_ERRNO(mq_notify(mq, &none), EBUSY);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getpid());

  CHECK_EQ(mq_notify(same, NULL), 0);
  CHECK_STATUS(mq, 0, 0, 0, 0);
  CHECK_EQ(mq_notify(same, NULL), 0);
  CHECK_SEND(mq, 0, "x");
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_RECEIVE(mq, 0, "x");

  /* Each queue has its own. */
  mqd_t other = NEW_QUEUE("/other", 1, 8);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_EQ(notify_by_signal(other, SIGUSR1), 0);
  CHECK_SEND(other, 0, "x");
  CHECK_SIGNAL(SIGUSR1);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
  REMOVE_QUEUE("/q");
  REMOVE_QUEUE("/other");
}
