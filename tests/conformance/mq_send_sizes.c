/*
 * A message may have 0 to mq_msgsize bytes: EMSGSIZE beyond. A receiver's room must be mq_msgsize
 * or more whatever the message: EMSGSIZE, and the message stays. Both come before EAGAIN and sleep.
 * What the message does not fill stays untouched.
 */
#include "mq_check.h"

int main(void) {
  char room[64], text[64];
  unsigned priority;
  memset(text, 't', sizeof text);
  mqd_t mq = NEW_QUEUE("/q", 2, 16);
  CHECK_ERRNO(mq_receive(mq, room, 15, NULL), EMSGSIZE);
  CHECK_ERRNO(mq_receive(mq, room, 0, NULL), EMSGSIZE);
  CHECK_ERRNO(mq_send(mq, text, 17, 0), EMSGSIZE);
  CHECK_ERRNO(mq_send(mq, text, (size_t)-1, 0), EMSGSIZE);

  CHECK_EQ(mq_send(mq, text, 16, 1), 0);
  CHECK_EQ(mq_send(mq, no_memory(), 0, 2), 0);
  CHECK_ERRNO(mq_send(mq, text, 17, 0), EMSGSIZE);
  CHECK_STATUS(mq, 16, 0, 0, 0);
  CHECK_ERRNO(mq_receive(mq, room, 15, &priority), EMSGSIZE);
  CHECK_CURMSGS(mq, 2);

  memset(room, '-', sizeof room);
  CHECK_EQ(mq_receive(mq, room, 16, &priority), 0);
  CHECK_EQ(priority, 2);
  CHECK_EQ(room[0], '-');
  CHECK_EQ(mq_receive(mq, room, sizeof room, &priority), 16);
  CHECK_EQ(priority, 1);
  CHECK_EQ(memcmp(room, text, 16), 0);
  CHECK_EQ(room[16], '-');

  /* Bytes are bytes: zeros too. */
  CHECK_EQ(mq_send(mq, "a\0b", 4, 0), 0);
  CHECK_EQ(mq_receive(mq, room, 16, NULL), 4);
  CHECK_EQ(memcmp(room, "a\0b", 4), 0);
  REMOVE_QUEUE("/q");
}
