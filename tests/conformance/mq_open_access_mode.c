/*
 * A descriptor for reading alone can't send, one for writing alone can't receive: EBADF, before
 * sizes and the queue's state. mq_getattr(), mq_setattr() and mq_notify() take either. O_ACCMODE
 * (3) is EINVAL for a queue that exists.
 */
#include "mq_check.h"

int main(void) {
  char room[16];
  mqd_t both = NEW_QUEUE("/q", 1, 16);
  mqd_t reader = CHECK_OK(mq_open("/q", O_RDONLY));
  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY));
  CHECK_ERRNO(mq_open("/q", O_ACCMODE), EINVAL);
  CHECK_ERRNO(mq_open("/none", O_ACCMODE), ENOENT);

  CHECK_ERRNO(mq_send(reader, "x", 1, 0), EBADF);
  CHECK_ERRNO(mq_send(reader, "x", 17, 0), EBADF);
  CHECK_ERRNO(mq_receive(writer, room, sizeof room, NULL), EBADF);
  CHECK_ERRNO(mq_receive(writer, room, 1, NULL), EBADF);
  CHECK_CURMSGS(both, 0);

  CHECK_SEND(writer, 1, "x");
  CHECK_CURMSGS(writer, 1);
  CHECK_CURMSGS(reader, 1);
  CHECK_RECEIVE(reader, 1, "x");
  CHECK_EQ(notify_by_signal(writer, SIGUSR1), 0);
  CHECK_STATUS(reader, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
  CHECK_EQ(mq_notify(reader, NULL), 0);
  CHECK_STATUS(reader, 0, 0, 0, 0);

  struct mq_attr attr = {.mq_flags = O_NONBLOCK};
  CHECK_EQ(mq_setattr(writer, &attr, NULL), 0);
  CHECK_EQ(attributes(writer).mq_flags, O_NONBLOCK);
  CHECK_EQ(fcntl(reader, F_GETFL) & O_ACCMODE, O_RDONLY);
  CHECK_EQ(fcntl(writer, F_GETFL) & O_ACCMODE, O_WRONLY);
  CHECK_EQ(fcntl(both, F_GETFL) & O_ACCMODE, O_RDWR);
  REMOVE_QUEUE("/q");
}
