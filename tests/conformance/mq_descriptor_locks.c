/*
 * A queue's descriptor takes file locks like any file's: flock(2) by descriptor, F_SETLK by
 * process. ftruncate(2) changes the size that is told, and nothing else.
 */
#include "mq_check.h"
#include <sys/file.h>

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t other = CHECK_OK(mq_open("/q", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct stat status;
  CHECK_EQ(flock(mq, LOCK_EX | LOCK_NB), 0);
  CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
  CHECK_EQ(flock(mq, LOCK_UN), 0);
  CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
  CHECK_EQ(fcntl(mq, F_SETLK, &lock), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_ERRNO(fcntl(mq, F_SETLK, &lock), EAGAIN);
    CHECK_SEND(mq, 1, "x");
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_EQ(ftruncate(mq, 1000), 0);
  CHECK_EQ(fstat(other, &status), 0);
  CHECK_EQ(status.st_size, 1000);
  CHECK_EQ(ftruncate(mq, 0), 0);
  CHECK_EQ(fstat(other, &status), 0);
  CHECK_EQ(status.st_size, 0);
  CHECK_STATUS(mq, 1, 0, 0, 0);
  CHECK_RECEIVE(mq, 1, "x");
  REMOVE_QUEUE("/q");
}
