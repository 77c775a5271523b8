/*
 * epoll(7) takes queues. By level, it tells as long as there is a message or room; by edge, once
 * for each message that comes and each that goes; with EPOLLONESHOT once until it is armed again.
 */
#include "mq_check.h"
#include <sys/epoll.h>

static int epoll;

static int events(int timeout) {
  struct epoll_event event = {0};
  if (CHECK_OK(epoll_wait(epoll, &event, 1, timeout)) == 0) return 0;
  CHECK_EQ(event.data.u64, 42);
  return (int)event.events;
}

static int control(int what, mqd_t mq, int wanted) {
  struct epoll_event event = {.events = wanted, .data.u64 = 42};
  return epoll_ctl(epoll, what, mq, &event);
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  epoll = CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
  CHECK_EQ(control(EPOLL_CTL_ADD, mq, EPOLLIN), 0);
  CHECK_ERRNO(control(EPOLL_CTL_ADD, mq, EPOLLIN), EEXIST);
  CHECK_EQ(events(0), 0);
  CHECK_SEND(mq, 0, "1");
  for (int i = 0; i < 3; i++) CHECK_EQ(events(0), EPOLLIN);
  CHECK_EQ(control(EPOLL_CTL_MOD, mq, EPOLLIN | EPOLLOUT), 0);
  CHECK_EQ(events(0), EPOLLIN | EPOLLOUT);
  CHECK_RECEIVE(mq, 0, "1");
  CHECK_EQ(events(0), EPOLLOUT);

  CHECK_EQ(control(EPOLL_CTL_MOD, mq, EPOLLIN | EPOLLET), 0);
  CHECK_EQ(events(0), 0);
  CHECK_SEND(mq, 0, "1");
  CHECK_EQ(events(0), EPOLLIN);
  CHECK_EQ(events(0), 0);
  CHECK_SEND(mq, 0, "2");
  CHECK_EQ(events(0), EPOLLIN);
  CHECK_EQ(events(0), 0);
  CHECK_RECEIVE(mq, 0, "1");
  CHECK_EQ(events(0), EPOLLIN);
  CHECK_EQ(events(0), 0);
  CHECK_RECEIVE(mq, 0, "2");
  CHECK_EQ(events(0), 0);

  CHECK_EQ(control(EPOLL_CTL_MOD, mq, EPOLLIN | EPOLLONESHOT), 0);
  CHECK_SEND(mq, 0, "1");
  CHECK_EQ(events(0), EPOLLIN);
  CHECK_EQ(events(0), 0);
  CHECK_EQ(control(EPOLL_CTL_MOD, mq, EPOLLIN), 0);
  CHECK_EQ(events(0), EPOLLIN);
  CHECK_RECEIVE(mq, 0, "1");

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(events(-1), EPOLLIN);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "wakes");
  CHECK_CHILD(child);
  CHECK_EQ(control(EPOLL_CTL_DEL, mq, 0), 0);
  CHECK_EQ(events(0), 0);
  CHECK_EQ(control(EPOLL_CTL_ADD, mq, EPOLLIN), 0);
  CLOSE_QUEUE(mq);
  CHECK_EQ(events(0), 0);
  REMOVE_QUEUE("/q");
}
