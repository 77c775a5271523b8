/*
 * Rights are asked for at mq_open() alone: its maker can use a queue of mode 0, but can't open it
 * again, and a descriptor outlives a change of mode, owner or user.
 */
#include "mq_check.h"

enum { USER = 32007, OTHER = 32008 };

int main(void) {
  NEED_ROOT();
  struct mq_attr attr = room_for(2, 8);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(setresgid(USER, USER, USER), 0);
    CHECK_EQ(setresuid(USER, USER, 0), 0);
    mqd_t mq = CHECK_OK(mq_open("/q", O_CREAT | O_RDWR, 0, &attr));
    CHECK_SEND(mq, 3, "mine");
    CHECK_ERRNO(mq_open("/q", O_RDONLY), EACCES);
    CHECK_ERRNO(mq_open("/q", O_CREAT | O_RDWR, 0600, &attr), EACCES);
    CHECK_EQ(fchmod(mq, 0600), 0);
    mqd_t again = CHECK_OK(mq_open("/q", O_RDWR));
    CHECK_EQ(fchmod(mq, 0), 0);
    CHECK_RECEIVE(again, 3, "mine");
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(setresuid(OTHER, OTHER, OTHER), 0);
    CHECK_SEND(again, 4, "still");
    CHECK_RECEIVE(mq, 4, "still");
    CHECK_ERRNO(fchmod(mq, 0600), EPERM);
    _exit(0);
  }
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
