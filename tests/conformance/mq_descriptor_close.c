/*
 * close(2), close_range(2) and mq_close() close a queue's descriptor; mq_close() closes any other
 * descriptor as well. After it, all calls are EBADF, until the number is in use again.
 */
#include "mq_check.h"

static void check_closed(mqd_t mq) {
  char room[16];
  CHECK_ERRNO(mq_getattr(mq, &(struct mq_attr){0}), EBADF);
  CHECK_ERRNO(mq_setattr(mq, &(struct mq_attr){0}, NULL), EBADF);
  CHECK_ERRNO(mq_send(mq, "x", 1, 0), EBADF);
  CHECK_ERRNO(mq_receive(mq, room, sizeof room, NULL), EBADF);
  CHECK_ERRNO(notify_by_signal(mq, SIGUSR1), EBADF);
  CHECK_ERRNO(mq_notify(mq, NULL), EBADF);
  CHECK_ERRNO(mq_close(mq), EBADF);
  CHECK_ERRNO(fcntl(mq, F_GETFD), EBADF);
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t first = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_EQ(close(first), 0);
  check_closed(first);
  CHECK_EQ(mq_open("/q", O_RDWR), first);
  CLOSE_QUEUE(first);
  check_closed(first);

  for (int i = 0; i < 3; i++) CHECK_EQ(mq_open("/q", O_RDWR), first + i);
  CHECK_EQ(close_range(first, first + 1, 0), 0);
  check_closed(first);
  check_closed(first + 1);
  CHECK_CURMSGS(first + 2, 0);
  CHECK_EQ(fcntl(first + 2, F_SETFD, 0), 0);
  CHECK_EQ(close_range(first, ~0u, CLOSE_RANGE_CLOEXEC), 0);
  CHECK_EQ(fcntl(first + 2, F_GETFD), FD_CLOEXEC);
  closefrom(first);
  check_closed(first + 2);
  check_closed(-1);
  check_closed(100000);

  int file = CHECK_OK(open("/proc/self/stat", O_RDONLY));
  CHECK_EQ(file, first);
  CHECK_EQ(mq_close(file), 0);
  CHECK_ERRNO(close(file), EBADF);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
