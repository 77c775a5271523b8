/*
 * A queue opened by its path in /dev/mqueue is a queue for all calls, without close-on-exec.
 * O_CREAT there makes a queue with the default attributes. unlink(2) there unlinks it.
 */
#include "mq_folder.h"

int main(void) {
  need_folder();
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int file = CHECK_OK(open(FOLDER "/q", O_RDWR));
  int reader = CHECK_OK(open(FOLDER "/q", O_RDONLY | O_NONBLOCK));
  CHECK_EQ(fcntl(file, F_GETFD), 0);
  CHECK_SEND(file, 3, "x");
  CHECK_RECEIVE(mq, 3, "x");
  CHECK_SEND(mq, 4, "y");
  CHECK_ERRNO(mq_send(reader, "x", 1, 0), EBADF);
  CHECK_RECEIVE(reader, 4, "y");
  char room[80];
  CHECK_ERRNO(mq_receive(reader, room, sizeof room, NULL), EAGAIN);
  CHECK_EQ(ready(file), POLLOUT);
  CHECK_STATUS(file, 0, 0, 0, 0);

  /* Truncation does nothing to the messages. */
  CHECK_SEND(mq, 5, "kept");
  CHECK_EQ(close(CHECK_OK(open(FOLDER "/q", O_WRONLY | O_TRUNC))), 0);
  CHECK_RECEIVE(mq, 5, "kept");

  int made = CHECK_OK(open(FOLDER "/made", O_CREAT | O_EXCL | O_RDWR, 0640));
  CHECK_EQ(attributes(made).mq_maxmsg, DEFAULT_MAXMSG);
  CHECK_EQ(attributes(made).mq_msgsize, DEFAULT_MSGSIZE);
  mqd_t same = CHECK_OK(mq_open("/made", O_RDWR));
  CHECK_SEND(made, 1, "made");
  CHECK_RECEIVE(same, 1, "made");
  CHECK_ERRNO(open(FOLDER "/made", O_CREAT | O_EXCL | O_RDWR, 0640), EEXIST);

  CHECK_EQ(unlink(FOLDER "/made"), 0);
  CHECK_ERRNO(mq_open("/made", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_unlink("/made"), ENOENT);
  CHECK_ERRNO(unlink(FOLDER "/made"), ENOENT);
  CHECK_SEND(made, 1, "still");
  CHECK_RECEIVE(same, 1, "still");
  REMOVE_QUEUE("/q");
}
