/*
 * A process without a free descriptor gets EMFILE, whatever the name, and makes no queue. The
 * descriptor is the lowest that is free.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 1);
  mqd_t next = CHECK_OK(mq_open("/q", O_RDWR));
  mqd_t last = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_EQ(next, mq + 1);
  CHECK_EQ(last, mq + 2);
  CLOSE_QUEUE(next);
  CHECK_EQ(mq_open("/q", O_RDWR), next);

  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = last + 1;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK_ERRNO(mq_open("/q", O_RDWR), EMFILE);
  CHECK_ERRNO(mq_open("/new", O_CREAT | O_RDWR, 0600, NULL), EMFILE);
  CHECK_ERRNO(mq_open("/none", O_RDWR), EMFILE);
  CHECK_ERRNO(mq_open("/a/b", O_RDWR), EMFILE);
  CHECK_ERRNO(mq_open("/", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_open("q", O_RDWR), EINVAL);
  CLOSE_QUEUE(next);
  CHECK_ERRNO(mq_open("/new", O_RDWR), ENOENT);
  CHECK_EQ(mq_open("/q", O_RDWR), next);
  REMOVE_QUEUE("/q");
}
