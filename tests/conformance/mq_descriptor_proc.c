/*
 * /proc/self/fd shows a queue as "/" and its name, with " (deleted)" once it is unlinked. Opening
 * that gives another descriptor of the queue, with flags of its own, also when it has no name.
 */
#include "mq_check.h"

static void check_link(int fd, const char* want) {
  char path[64], got[128];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  got[CHECK_OK(readlink(path, got, sizeof got - 1))] = '\0';
  CHECK_TEXT(got, want);
}

int main(void) {
  char path[64];
  mqd_t mq = NEW_QUEUE_WITH("/q", 2, 8, O_NONBLOCK);
  check_link(mq, "/q");
  snprintf(path, sizeof path, "/proc/self/fd/%d", mq);
  int again = CHECK_OK(open(path, O_RDWR));
  CHECK_EQ(attributes(again).mq_flags, 0);
  CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
  CHECK_SEND(again, 1, "x");
  CHECK_RECEIVE(mq, 1, "x");

  REMOVE_QUEUE("/q");
  check_link(mq, "/q (deleted)");
  int reader = CHECK_OK(open(path, O_RDONLY));
  CHECK_SEND(mq, 2, "y");
  CHECK_RECEIVE(reader, 2, "y");
  CHECK_ERRNO(mq_send(reader, "x", 1, 0), EBADF);
}
