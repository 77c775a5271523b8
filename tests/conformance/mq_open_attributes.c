/*
 * mq_maxmsg and mq_msgsize of a new queue must be 1 or more: EINVAL. mq_flags and mq_curmsgs are
 * not looked at: whether it blocks says O_NONBLOCK of the call. A refused queue is not made.
 */
#include "mq_check.h"

int main(void) {
  const struct mq_attr refused[] = {
      room_for(0, 1),  room_for(1, 0),        room_for(0, 0),        room_for(-1, 1),
      room_for(1, -1), room_for(LONG_MIN, 1), room_for(1, LONG_MAX), room_for(LONG_MAX, LONG_MAX),
  };
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_ERRNO(mq_open("/q", O_CREAT | O_RDWR, 0600, &refused[i]), EINVAL);
    CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);
  }
  const struct mq_attr accepted[] = {room_for(1, 1), room_for(10, 8192), room_for(10, 1),
                                     room_for(1, 8192)};
  for (unsigned i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    mqd_t mq = NEW_QUEUE("/q", accepted[i].mq_maxmsg, accepted[i].mq_msgsize);
    struct mq_attr attr = attributes(mq);
    CHECK_EQ(attr.mq_maxmsg, accepted[i].mq_maxmsg);
    CHECK_EQ(attr.mq_msgsize, accepted[i].mq_msgsize);
    CHECK_EQ(attr.mq_curmsgs, 0);
    CHECK_EQ(attr.mq_flags, 0);
    CLOSE_QUEUE(mq);
    REMOVE_QUEUE("/q");
  }

  struct mq_attr attr = {.mq_flags = -1, .mq_maxmsg = 2, .mq_msgsize = 3, .mq_curmsgs = 9};
  mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0600, &attr));
  attr = attributes(mq);
  CHECK_EQ(attr.mq_flags, 0);
  CHECK_EQ(attr.mq_curmsgs, 0);
  mqd_t nonblocking = CHECK_OK(mq_open("/q", O_RDWR | O_NONBLOCK));
  CHECK_EQ(attributes(nonblocking).mq_flags, O_NONBLOCK);
  CHECK_EQ(attributes(mq).mq_flags, 0);
  REMOVE_QUEUE("/q");
}
