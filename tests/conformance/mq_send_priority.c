/*
 * The message of the highest priority is received first, those of one priority in the order that
 * they were sent. Priorities go up to 32767: MQ_PRIO_MAX itself is EINVAL, before all else but the
 * deadline.
 */
#include "mq_check.h"

int main(void) {
  CHECK_EQ(sysconf(_SC_MQ_PRIO_MAX), MQ_PRIORITIES);
  mqd_t mq = NEW_QUEUE("/q", 10, 16);
  CHECK_SEND(mq, 5, "five 1");
  CHECK_SEND(mq, 0, "zero 1");
  CHECK_SEND(mq, 32767, "top 1");
  CHECK_SEND(mq, 5, "five 2");
  CHECK_SEND(mq, 6, "six");
  CHECK_SEND(mq, 32767, "top 2");
  CHECK_SEND(mq, 0, "zero 2");
  CHECK_RECEIVE(mq, 32767, "top 1");
  CHECK_RECEIVE(mq, 32767, "top 2");
  CHECK_SEND(mq, 4, "four");
  CHECK_SEND(mq, 5, "five 3");
  CHECK_RECEIVE(mq, 6, "six");
  CHECK_RECEIVE(mq, 5, "five 1");
  CHECK_SEND(mq, 5, "five 4");
  CHECK_RECEIVE(mq, 5, "five 2");
  CHECK_RECEIVE(mq, 5, "five 3");
  CHECK_RECEIVE(mq, 5, "five 4");
  CHECK_RECEIVE(mq, 4, "four");
  CHECK_RECEIVE(mq, 0, "zero 1");
  CHECK_RECEIVE(mq, 0, "zero 2");
  CHECK_CURMSGS(mq, 0);

  CHECK_ERRNO(mq_send(mq, "x", 1, 32768), EINVAL);
  CHECK_ERRNO(mq_send(mq, "x", 1, ~0u), EINVAL);
  CHECK_ERRNO(mq_send(mq, no_memory(), 17, 32768), EINVAL);
  CHECK_ERRNO(mq_send(-1, "x", 1, 32768), EINVAL);
  CHECK_CURMSGS(mq, 0);

  /* The priority need not be asked for. */
  char room[16];
  CHECK_SEND(mq, 9, "x");
  CHECK_EQ(mq_receive(mq, room, sizeof room, NULL), 1);
  REMOVE_QUEUE("/q");
}
