/*
 * A deadline with tv_nsec outside 0..999999999, or before 1970, is EINVAL even when the call need
 * not sleep (POSIX lets it pass then), on a descriptor that does not block too. Nothing is done.
 */
#include "mq_check.h"

int main(void) {
  const struct timespec wrong[] = {{0, -1},       {0, 1000000000}, {-1, 0}, {LONG_MAX, LONG_MAX},
                                   {LONG_MIN, 0}, {0, LONG_MIN},   {-1, -1}};
  char room[8];
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t nonblocking = CHECK_OK(mq_open("/q", O_RDWR | O_NONBLOCK));
  for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &wrong[i]), EINVAL);
    CHECK_ERRNO(mq_timedsend(mq, "x", 1, 0, &wrong[i]), EINVAL);
    CHECK_CURMSGS(mq, 0);
    CHECK_SEND(mq, 0, "x");
    CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &wrong[i]), EINVAL);
    CHECK_ERRNO(mq_timedreceive(nonblocking, room, sizeof room, NULL, &wrong[i]), EINVAL);
    CHECK_ERRNO(mq_timedsend(nonblocking, "x", 1, 0, &wrong[i]), EINVAL);
    CHECK_CURMSGS(mq, 1);
    CHECK_RECEIVE(mq, 0, "x");
  }
  /* The largest deadline is none. */
  struct timespec never = {LONG_MAX, 999999999};
  CHECK_EQ(mq_timedsend(mq, "x", 1, 0, &never), 0);
  CHECK_EQ(mq_timedreceive(mq, room, sizeof room, NULL, &never), 1);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(mq_timedreceive(mq, room, sizeof room, NULL, &never), 4);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "late");
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
