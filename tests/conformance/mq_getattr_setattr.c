/*
 * mq_getattr() gives the flags, which are O_NONBLOCK or 0, the two sizes and the count of messages;
 * the rest is zeros. mq_setattr() takes O_NONBLOCK of mq_flags and nothing else of what it is
 * given, refuses other flags with EINVAL (before EBADF), and gives the attributes of before.
 */
#include "mq_check.h"

static void check_attr(const struct mq_attr* got, long flags, long curmsgs) {
  CHECK_EQ(got->mq_flags, flags);
  CHECK_EQ(got->mq_maxmsg, 3);
  CHECK_EQ(got->mq_msgsize, 16);
  CHECK_EQ(got->mq_curmsgs, curmsgs);
  const char *end = (const char*)(got + 1), *rest = (const char*)(&got->mq_curmsgs + 1);
  while (rest < end) CHECK_EQ(*rest++, 0);
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 3, 16);
  struct mq_attr attr = attributes(mq), old;
  check_attr(&attr, 0, 0);
  CHECK_SEND(mq, 0, "x");
  struct mq_attr set = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 7, .mq_msgsize = -1, .mq_curmsgs = 99};
  memset(&old, 0xa5, sizeof old);
  CHECK_EQ(mq_setattr(mq, &set, &old), 0);
  check_attr(&old, 0, 1);
  attr = attributes(mq);
  check_attr(&attr, O_NONBLOCK, 1);
  CHECK_EQ(fcntl(mq, F_GETFL) & O_NONBLOCK, O_NONBLOCK);

  CHECK_EQ(fcntl(mq, F_SETFL, fcntl(mq, F_GETFL) | O_APPEND), 0);
  attr = attributes(mq);
  check_attr(&attr, O_NONBLOCK, 1);
  CHECK_EQ(mq_setattr(mq, &(struct mq_attr){.mq_flags = 0}, NULL), 0);
  CHECK_EQ(fcntl(mq, F_GETFL) & (O_NONBLOCK | O_APPEND), O_APPEND);
  CHECK_EQ(fcntl(mq, F_SETFL, O_NONBLOCK), 0);
  CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
  CHECK_EQ(mq_setattr(mq, &(struct mq_attr){.mq_flags = 0}, &old), 0);
  check_attr(&old, O_NONBLOCK, 1);
  CHECK_EQ(mq_setattr(mq, no_memory(), NULL), 0);

  const long wrong[] = {1, O_RDWR, O_NONBLOCK | O_APPEND, O_CLOEXEC, -1, 1l << 40};
  for (int i = 0; i < 6; i++) {
    set.mq_flags = wrong[i];
    CHECK_ERRNO(mq_setattr(mq, &set, &old), EINVAL);
    CHECK_ERRNO(mq_setattr(-1, &set, &old), EINVAL);
  }
  CHECK_EQ(attributes(mq).mq_flags, 0);

  struct mq_attr* nowhere = (struct mq_attr*)end_of_memory();
  CHECK_ERRNO(mq_getattr(mq, nowhere), EFAULT);
  CHECK_ERRNO(mq_setattr(mq, nowhere, NULL), EFAULT);
  CHECK_ERRNO(mq_setattr(-1, nowhere, NULL), EFAULT);
  CHECK_ERRNO(mq_getattr(-1, nowhere), EBADF);
  /* The flags are set, though what was before can't be told. */
  set.mq_flags = O_NONBLOCK;
  CHECK_ERRNO(mq_setattr(mq, &set, nowhere), EFAULT);
  CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
  REMOVE_QUEUE("/q");
}
