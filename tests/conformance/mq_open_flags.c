/*
 * What F_GETFL tells of a queue is the access mode and the flags of mq_open() that last:
 * O_NONBLOCK, O_APPEND, O_SYNC, O_CLOEXEC; not O_CREAT, O_EXCL, O_TRUNC. O_ACCMODE (3) with a new
 * name makes a queue, whose descriptor can neither send nor receive.
 */
#include "mq_check.h"

int main(void) {
  char room[8];
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  CHECK_SEND(mq, 1, "kept");
  const struct {
    int given, seen;
  } flags[] = {
      {O_RDONLY, O_RDONLY},
      {O_WRONLY | O_NONBLOCK, O_WRONLY | O_NONBLOCK},
      {O_RDWR | O_APPEND, O_RDWR | O_APPEND},
      {O_RDWR | O_SYNC, O_RDWR | O_SYNC},
      {O_RDWR | O_TRUNC | O_CREAT, O_RDWR},
      {O_RDWR | O_CLOEXEC, O_RDWR | O_CLOEXEC},
      {O_RDWR | O_EXCL, O_RDWR},
  };
  for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
    mqd_t other = CHECK_OK(mq_open("/q", flags[i].given, 0600, NULL));
    CHECK_EQ(fcntl(other, F_GETFL), flags[i].seen);
    CHECK_CURMSGS(other, 1);
    CLOSE_QUEUE(other);
  }
  CHECK_RECEIVE(mq, 1, "kept");

  struct mq_attr attr = room_for(2, 8);
  mqd_t neither = CHECK_OK(mq_open("/new", O_CREAT | O_ACCMODE, 0600, &attr));
  CHECK_CURMSGS(neither, 0);
  CHECK_ERRNO(mq_send(neither, "x", 1, 0), EBADF);
  CHECK_ERRNO(mq_receive(neither, room, sizeof room, NULL), EBADF);
  CHECK_ERRNO(mq_open("/new", O_CREAT | O_ACCMODE, 0600, &attr), EINVAL);
  REMOVE_QUEUE("/new");
  REMOVE_QUEUE("/q");
}
