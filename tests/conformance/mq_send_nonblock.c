/*
 * O_NONBLOCK: a full queue gives a sender EAGAIN, an empty one a receiver, deadline or not. It is
 * the descriptor's, not the queue's.
 */
#include "mq_check.h"

int main(void) {
  char room[8];
  mqd_t mq = NEW_QUEUE_WITH("/q", 2, 8, O_NONBLOCK);
  mqd_t blocking = CHECK_OK(mq_open("/q", O_RDWR));
  struct timespec future = after_ms(15000);
  CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EAGAIN);
  CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &future), EAGAIN);
  CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &the_past), EAGAIN);
  CHECK_ERRNO(mq_timedreceive(blocking, room, sizeof room, NULL, &the_past), ETIMEDOUT);
  CHECK_EQ(mq_send(mq, "1", 1, 0), 0);
  CHECK_EQ(mq_send(mq, "2", 1, 0), 0);
  CHECK_ERRNO(mq_send(mq, "3", 1, 0), EAGAIN);
  CHECK_ERRNO(mq_send(mq, "3", 1, 9), EAGAIN);
  CHECK_ERRNO(mq_timedsend(mq, "3", 1, 0, &future), EAGAIN);
  CHECK_ERRNO(mq_timedsend(mq, "3", 1, 0, &the_past), EAGAIN);
  CHECK_ERRNO(mq_timedsend(blocking, "3", 1, 0, &the_past), ETIMEDOUT);
  CHECK_RECEIVE(mq, 0, "1");
  CHECK_EQ(mq_send(mq, "3", 1, 0), 0);
  CHECK_RECEIVE(mq, 0, "2");
  CHECK_RECEIVE(mq, 0, "3");
  CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EAGAIN);
  REMOVE_QUEUE("/q");
}
