/* /dev/mqueue holds queues alone: no folders, links, devices or renamed files there. */
#include "mq_folder.h"

int main(void) {
  need_folder();
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  CHECK_ERRNO(mkdir(FOLDER "/folder", 0700), EPERM);
  CHECK_ERRNO(symlink("q", FOLDER "/symlink"), EPERM);
  CHECK_ERRNO(link(FOLDER "/q", FOLDER "/link"), EPERM);
  CHECK_ERRNO(rename(FOLDER "/q", FOLDER "/renamed"), EPERM);
  CHECK_ERRNO(mknod(FOLDER "/fifo", S_IFIFO | 0600, 0), EPERM);
  CHECK_ERRNO(rmdir(FOLDER "/q"), ENOTDIR);
  CHECK_ERRNO(open(FOLDER "/q/x", O_RDONLY), ENOTDIR);
  CHECK_ERRNO(open(FOLDER "/none", O_RDONLY), ENOENT);
  CHECK_ERRNO(open(FOLDER "/q", O_RDONLY | O_DIRECTORY), ENOTDIR);
  CHECK_ERRNO(execl(FOLDER "/q", "q", (char*)NULL), EACCES);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
