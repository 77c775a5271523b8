/*
 * Copies of a descriptor by dup(2), dup2(2), dup3(2) and F_DUPFD are the queue, and share
 * O_NONBLOCK with it; another mq_open() does not. mq_descriptor_position.c tells of the position.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t other = CHECK_OK(mq_open("/q", O_RDWR));
  int copies[5];
  copies[0] = CHECK_OK(dup(mq));
  copies[1] = CHECK_EQ(dup2(mq, 100), 100);
  copies[2] = CHECK_EQ(dup3(mq, 101, O_CLOEXEC), 101);
  copies[3] = CHECK_EQ(fcntl(mq, F_DUPFD, 102), 102);
  copies[4] = CHECK_EQ(fcntl(mq, F_DUPFD_CLOEXEC, 103), 103);
  CHECK_EQ(fcntl(copies[2], F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(copies[3], F_GETFD), 0);
  CHECK_EQ(dup2(mq, mq), mq);
  CHECK_EQ(fcntl(mq, F_GETFD), FD_CLOEXEC);
  for (int i = 0; i < 5; i++) {
    CHECK_SEND(copies[i], i, "copy");
    CHECK_RECEIVE(mq, i, "copy");
    CHECK_EQ(mq_setattr(copies[i], &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL), 0);
    CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
    CHECK_EQ(attributes(other).mq_flags, 0);
    CHECK_EQ(fcntl(mq, F_SETFL, 0), 0);
    CHECK_EQ(attributes(copies[i]).mq_flags, 0);
  }
  /* dup2() over a queue closes it; the copies live on. */
  int file = CHECK_OK(open("/proc/self/stat", O_RDONLY));
  CHECK_EQ(dup2(file, mq), mq);
  CHECK_ERRNO(mq_getattr(mq, &(struct mq_attr){0}), EBADF);
  CHECK_EQ(dup2(copies[0], file), file);
  CHECK_SEND(file, 1, "again");
  for (int i = 0; i < 5; i++) CHECK_EQ(close(copies[i]), 0);
  CHECK_RECEIVE(file, 1, "again");
  REMOVE_QUEUE("/q");
}
