/*
 * A new queue's mode is what is given, its set-id and sticky bits too, without the bits of the
 * umask; other bits are dropped. The maker's descriptor has what it asked for, whatever the mode.
 */
#include "mq_check.h"

static void check_mode(mode_t mask, unsigned given, unsigned want) {
  struct mq_attr attr = room_for(1, 1);
  struct stat status;
  umask(mask);
  mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, given, &attr));
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK_EQ(status.st_mode, S_IFREG | want);
  CHECK_EQ(status.st_uid, geteuid());
  CHECK_EQ(status.st_gid, getegid());
  CHECK_SEND(mq, 0, "x");
  CHECK_RECEIVE(mq, 0, "x");
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/q");
}

int main(void) {
  check_mode(0, 0666, 0666);
  check_mode(0, 0777, 0777);
  check_mode(0, 0, 0);
  check_mode(022, 0666, 0644);
  check_mode(077, 0777, 0700);
  check_mode(0777, 0777, 0);
  check_mode(0, 07777, 07777);
  check_mode(0, 0170644, 0644);
}
