/*
 * mq_unlink() takes the name away at once: ENOENT for it from then on, or a new queue. Whoever has
 * the old one open uses it on, sleepers too.
 */
#include "mq_check.h"

int main(void) {
  mqd_t old = NEW_QUEUE("/q", 2, 8);
  mqd_t other = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_SEND(old, 1, "old");
  REMOVE_QUEUE("/q");
  CHECK_ERRNO(mq_unlink("/q"), ENOENT);
  CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);

  mqd_t new = NEW_QUEUE("/q", 3, 4);
  CHECK_CURMSGS(new, 0);
  CHECK_SEND(new, 2, "new");
  struct stat old_status, new_status;
  CHECK_EQ(fstat(old, &old_status), 0);
  CHECK_EQ(fstat(new, &new_status), 0);
  CHECK(old_status.st_ino != new_status.st_ino);
  CHECK_EQ(old_status.st_nlink, 0);
  CHECK_EQ(new_status.st_nlink, 1);

  CHECK_EQ(attributes(other).mq_maxmsg, 2);
  CHECK_RECEIVE(other, 1, "old");
  CHECK_RECEIVE(new, 2, "new");
  pid_t sleeper = FORK_RECEIVER(other, 5, "late");
  REMOVE_QUEUE("/q");
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_SEND(new, 4, "no");
  CHECK_SEND(old, 5, "late");
  CHECK_CHILD(sleeper);
}
