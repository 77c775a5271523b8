/*
 * fstat(2) of a queue: a regular file of 80 bytes and no blocks, whatever is in it, with its mode
 * and owner, one link until it is unlinked. Its filesystem is mqueue.
 */
#include "mq_check.h"
#include <sys/statfs.h>

int main(void) {
  struct stat status, again;
  struct statfs filesystem;
  umask(0);
  struct mq_attr attr = room_for(2, 8);
  time_t start = time(NULL);
  mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0620, &attr));
  for (int messages = 0; messages < 3; messages++) {
    CHECK_EQ(fstat(mq, &status), 0);
    CHECK_EQ(status.st_size, 80);
    CHECK_EQ(status.st_blocks, 0);
    CHECK_EQ(status.st_blksize, sysconf(_SC_PAGESIZE));
    CHECK_EQ(status.st_mode, S_IFREG | 0620);
    CHECK_EQ(status.st_nlink, 1);
    CHECK_EQ(status.st_uid, geteuid());
    CHECK_EQ(status.st_gid, getegid());
    CHECK_EQ(status.st_rdev, 0);
    CHECK(status.st_atime >= start - 1 && status.st_atime <= time(NULL));
    if (messages < 2) CHECK_SEND(mq, 0, "x");
  }
  CHECK_EQ(fstatfs(mq, &filesystem), 0);
  CHECK_EQ(filesystem.f_type, 0x19800202);

  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_EQ(fstat(same, &again), 0);
  CHECK_EQ(again.st_ino, status.st_ino);
  CHECK_EQ(again.st_dev, status.st_dev);
  mqd_t other = NEW_QUEUE("/other", 1, 1);
  CHECK_EQ(fstat(other, &again), 0);
  CHECK(again.st_ino != status.st_ino);
  CHECK_EQ(again.st_dev, status.st_dev);

  CHECK_EQ(fchmod(mq, 01750), 0);
  REMOVE_QUEUE("/q");
  CHECK_EQ(fstat(same, &again), 0);
  CHECK_EQ(again.st_mode, S_IFREG | 01750);
  CHECK_EQ(again.st_nlink, 0);
  REMOVE_QUEUE("/other");
}
