/*
 * Without O_CREAT a queue must exist; O_CREAT opens the one that exists, with its own attributes
 * and mode, whatever is given; with O_EXCL it is EEXIST, before any check of rights or attributes.
 * O_EXCL alone says nothing.
 */
#include "mq_check.h"

int main(void) {
  CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_open("/q", O_RDWR | O_EXCL), ENOENT);
  CHECK_ERRNO(mq_unlink("/q"), ENOENT);
  mqd_t mq = NEW_QUEUE("/q", 3, 20);
  CHECK_SEND(mq, 1, "kept");

  struct mq_attr other = room_for(5, 50), wrong = room_for(0, -1);
  CHECK_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, &other), EEXIST);
  CHECK_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, &wrong), EEXIST);
  CHECK_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
  CHECK_ERRNO(mq_open("/q", O_CREAT | O_EXCL | O_ACCMODE, 0600, NULL), EEXIST);

  const struct mq_attr* given[] = {&other, &wrong, NULL};
  for (int i = 0; i < 3; i++) {
    mqd_t same = CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0777, given[i]));
    struct mq_attr attr = attributes(same);
    CHECK_EQ(attr.mq_maxmsg, 3);
    CHECK_EQ(attr.mq_msgsize, 20);
    CHECK_EQ(attr.mq_curmsgs, 1);
    struct stat status;
    CHECK_EQ(fstat(same, &status), 0);
    CHECK_EQ(status.st_mode, S_IFREG | 0600);
    CLOSE_QUEUE(same);
  }
  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR | O_EXCL));
  CHECK_RECEIVE(same, 1, "kept");
  REMOVE_QUEUE("/q");
}
