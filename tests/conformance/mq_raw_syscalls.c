/* The same queue through libc and through syscall(2), with the same errors. */
#include "mq_check.h"
#include <sys/syscall.h>

int main(void) {
#ifndef __LP64__
  SKIP("this ABI has other system calls for deadlines");
#else
  struct mq_attr attr = room_for(1, 8), old;
  char room[8];
  unsigned priority;
  mqd_t mq = CHECK_OK(syscall(SYS_mq_open, "q", O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_EQ(fcntl(mq, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(syscall(SYS_mq_timedsend, mq, "raw", 3, 5, NULL), 0);
  CHECK_RECEIVE(same, 5, "raw");
  CHECK_SEND(same, 6, "libc");
  CHECK_EQ(syscall(SYS_mq_timedreceive, mq, room, sizeof room, &priority, NULL), 4);
  CHECK_EQ(priority, 6);
  attr = (struct mq_attr){.mq_flags = O_NONBLOCK};
  CHECK_EQ(syscall(SYS_mq_getsetattr, mq, &attr, &old), 0);
  CHECK_EQ(old.mq_maxmsg, 1);
  CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
  CHECK_EQ(syscall(SYS_mq_getsetattr, mq, NULL, NULL), 0);
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  CHECK_EQ(syscall(SYS_mq_notify, mq, &none), 0);
  CHECK_ERRNO(mq_notify(same, &none), EBUSY);
  CHECK_EQ(syscall(SYS_mq_notify, mq, NULL), 0);

  CHECK_ERRNO(syscall(SYS_mq_open, "q", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
  CHECK_ERRNO(syscall(SYS_mq_open, "new", O_CREAT | O_RDWR, 0600, end_of_memory()), EFAULT);
  CHECK_ERRNO(syscall(SYS_mq_open, "q", O_RDWR, 0, end_of_memory()), EFAULT);
  CHECK_ERRNO(syscall(SYS_mq_timedreceive, mq, room, sizeof room, NULL, NULL), EAGAIN);
  CHECK_ERRNO(syscall(SYS_mq_timedsend, mq, "x", 1, 0, &(struct timespec){0, -1}), EINVAL);
  CHECK_EQ(syscall(SYS_mq_unlink, "q"), 0);
  CHECK_ERRNO(syscall(SYS_mq_unlink, "q"), ENOENT);
#endif
}
