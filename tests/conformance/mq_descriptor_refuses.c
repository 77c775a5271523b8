/*
 * What a queue's descriptor is not good for: write(2) is EINVAL (EBADF when it is for reading
 * alone), mmap(2) ENODEV, and so on.
 */
#include "mq_check.h"
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

int main(void) {
  struct iovec piece = {"x", 1};
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t reader = CHECK_OK(mq_open("/q", O_RDONLY));
  CHECK_ERRNO(write(mq, "x", 1), EINVAL);
  CHECK_ERRNO(pwrite(mq, "x", 1, 0), EINVAL);
  CHECK_ERRNO(writev(mq, &piece, 1), EINVAL);
  CHECK_ERRNO(write(reader, "x", 1), EBADF);
  CHECK_ERRNO(mmap(NULL, 80, PROT_READ, MAP_SHARED, mq, 0), ENODEV);
  CHECK_ERRNO(mmap(NULL, 80, PROT_READ, MAP_PRIVATE, mq, 0), ENODEV);
  int unread = 0;
  CHECK_ERRNO(ioctl(mq, TIOCOUTQ, &unread), ENOTTY);
  CHECK_ERRNO(fsync(mq), EINVAL);
  CHECK_ERRNO(fchdir(mq), ENOTDIR);
  CHECK_CURMSGS(mq, 0);
  REMOVE_QUEUE("/q");
}
