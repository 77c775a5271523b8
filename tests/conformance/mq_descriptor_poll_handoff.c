/*
 * A message that goes to a sleeping receiver wakes no poll(2); one that enters in the place that a
 * receiver has made wakes none either, as nothing has changed.
 */
#include "mq_check.h"
#include <sys/epoll.h>

static int edges(int epoll) {
  struct epoll_event event = {0};
  int count = CHECK_OK(epoll_wait(epoll, &event, 1, 0));
  return count ? (int)event.events : 0;
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  int epoll = CHECK_OK(epoll_create1(0));
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
  CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, mq, &event), 0);
  CHECK_EQ(edges(epoll), EPOLLOUT);
  CHECK_EQ(edges(epoll), 0);

  pid_t receiver = FORK_RECEIVER(mq, 1, "handed");
  pid_t poller = fork_child();
  if (poller == 0) {
    CHECK_EQ(poll(&(struct pollfd){mq, POLLIN, 0}, 1, -1), 1);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(poller);
  CHECK_SEND(mq, 1, "handed");
  CHECK_CHILD(receiver);
  PAUSE_UNTIL_BLOCKED(poller);
  CHECK_EQ(edges(epoll), 0);
  CHECK_SEND(mq, 1, "full");
  CHECK_CHILD(poller);
  CHECK_EQ(edges(epoll), EPOLLIN);

  pid_t sender = FORK_SENDER(mq, 2, "next");
  CHECK_RECEIVE(mq, 1, "full");
  CHECK_CHILD(sender);
  CHECK_EQ(edges(epoll), 0);
  CHECK_EQ(ready(mq), POLLIN);
  CHECK_RECEIVE(mq, 2, "next");
  CHECK_EQ(edges(epoll), EPOLLOUT);
  REMOVE_QUEUE("/q");
}
