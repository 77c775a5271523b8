/* select(2) and pselect(2): readable when there is a message, writable when there is room. */
#include "mq_check.h"
#include <sys/select.h>

enum { READABLE = 1, WRITABLE = 2 };

static int selected(mqd_t mq, struct timeval* timeout) {
  fd_set read_set, write_set, except_set;
  FD_ZERO(&read_set);
  FD_ZERO(&write_set);
  FD_ZERO(&except_set);
  FD_SET(mq, &read_set);
  FD_SET(mq, &write_set);
  FD_SET(mq, &except_set);
  CHECK_OK(select(mq + 1, &read_set, &write_set, &except_set, timeout));
  CHECK(!FD_ISSET(mq, &except_set));
  return (FD_ISSET(mq, &read_set) ? READABLE : 0) | (FD_ISSET(mq, &write_set) ? WRITABLE : 0);
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  struct timeval at_once = {0, 0};
  CHECK_EQ(selected(mq, &at_once), WRITABLE);
  CHECK_SEND(mq, 0, "x");
  CHECK_EQ(selected(mq, NULL), READABLE | WRITABLE);
  CHECK_SEND(mq, 0, "y");
  CHECK_EQ(selected(mq, NULL), READABLE);
  CHECK_RECEIVE(mq, 0, "x");
  CHECK_RECEIVE(mq, 0, "y");

  pid_t child = fork_child();
  if (child == 0) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(mq, &set);
    CHECK_EQ(pselect(mq + 1, &set, NULL, NULL, NULL, NULL), 1);
    CHECK(FD_ISSET(mq, &set));
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "x");
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
