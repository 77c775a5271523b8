/*
 * Copies of a descriptor share the position of read(2), in whatever process; another mq_open() has
 * its own.
 */
#include "mq_check.h"

int main(void) {
  char room[80];
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t other = CHECK_OK(mq_open("/q", O_RDWR));
  int copy = CHECK_OK(dup(mq));
  long length = CHECK_OK(read(mq, room, sizeof room));
  CHECK_EQ(read(copy, room, sizeof room), 0);
  CHECK_EQ(lseek(copy, 0, SEEK_CUR), length);
  CHECK_EQ(read(other, room, sizeof room), length);
  CHECK_EQ(lseek(copy, 0, SEEK_SET), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(read(copy, room, sizeof room), length);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_EQ(read(mq, room, sizeof room), 0);
  REMOVE_QUEUE("/q");
}
