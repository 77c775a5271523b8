/*
 * Descriptors of POSIX message queues of another namespace: for every call, to wait for, over fork
 * and exec, and closed last.
 */
#include "mq_check.h"
#include "ns_check.h"
#include <sys/epoll.h>
#include <sys/select.h>

int main(int count, char** arguments) {
  if (count > 1) {
    /* Started anew, elsewhere than the queue. */
    CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);
    mqd_t kept = atoi(arguments[1]);
    CHECK_SEND(kept, 3, "by exec");
    CHECK_CURMSGS(kept, 1);
    return 0;
  }
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int first = open_namespace();
  MOVE_TO_NEW();
  int second = open_namespace();
  mqd_t other = NEW_QUEUE("/q", 3, 8);

  CHECK_SEND(mq, 1, "one");
  CHECK_CURMSGS(mq, 1);
  CHECK_CURMSGS(other, 0);
  CHECK_EQ(attributes(mq).mq_maxmsg, 2);
  CHECK_EQ(attributes(other).mq_maxmsg, 3);
  struct stat status;
  CHECK_EQ(fstat(mq, &status), 0);
  CHECK_EQ(status.st_size, 80);
  char line[128];
  CHECK_EQ(pread(mq, line, sizeof line, 0) > 0, 1);
  CHECK_EQ(memcmp(line, "QSIZE:3 ", 8), 0);

  /* Both in one poll, select and epoll. */
  struct pollfd both[] = {{mq, POLLIN | POLLOUT, 0}, {other, POLLIN | POLLOUT, 0}};
  CHECK_EQ(poll(both, 2, 0), 2);
  CHECK_EQ(both[0].revents, POLLIN | POLLOUT);
  CHECK_EQ(both[1].revents, POLLOUT);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(mq, &set);
  FD_SET(other, &set);
  CHECK_EQ(select(64, &set, NULL, NULL, &(struct timeval){0, 0}), 1);
  CHECK(FD_ISSET(mq, &set) && !FD_ISSET(other, &set));
  int instance = CHECK_OK(epoll_create1(0));
  struct epoll_event event = {EPOLLIN, {.fd = mq}};
  CHECK_EQ(epoll_ctl(instance, EPOLL_CTL_ADD, mq, &event), 0);
  event.data.fd = other;
  CHECK_EQ(epoll_ctl(instance, EPOLL_CTL_ADD, other, &event), 0);
  CHECK_EQ(epoll_wait(instance, &event, 1, 0), 1);
  CHECK_EQ(event.data.fd, mq);
  CHECK_RECEIVE(mq, 1, "one");
  CHECK_EQ(epoll_wait(instance, &event, 1, 0), 0);

  /* A sleeper in poll is woken by who is elsewhere. */
  pid_t child = fork_child();
  if (child == 0) {
    both[0].events = both[1].events = POLLIN;
    CHECK_EQ(poll(both, 2, 10000), 1);
    CHECK_EQ(both[0].revents, POLLIN);
    CHECK_RECEIVE(mq, 2, "woken");
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
  CHECK_SEND(same, 2, "woken");
  CHECK_CHILD(child);

  /* Told of a message, from wherever. */
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, NULL);
  struct sigevent notice = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  CHECK_EQ(mq_notify(mq, &notice), 0);
  CHECK_ERRNO(mq_notify(same, &notice), EBUSY);
  CHECK_EQ(mq_notify(other, &notice), 0);
  CHECK_EQ(mq_notify(other, NULL), 0);
  CHECK_SEND(same, 1, "told");
  CHECK_EQ(sigtimedwait(&usr1, NULL, &(struct timespec){5, 0}), SIGUSR1);
  CHECK_RECEIVE(mq, 1, "told");

  /* exec(2) keeps what is not closed by it. */
  CHECK_EQ(fcntl(mq, F_SETFD, 0), 0);
  child = fork_child();
  if (child == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", mq);
    CHECK_EQ(mq_unlink("/q"), 0);
    execl("/proc/self/exe", "ns_queues", number, NULL);
    FAIL("exec: got -1 %s", strerrorname_np(errno));
  }
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 3, "by exec");

  /* The last descriptor of a queue without a name ends it, in whatever namespace its closer is. */
  CLOSE_QUEUE(other);
  CLOSE_QUEUE(same);
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  CHECK_EQ(mq_unlink("/q"), 0);
  CHECK_EQ(setns(second, CLONE_NEWIPC), 0);
  CHECK_SEND(mq, 1, "last");
  CHECK_RECEIVE(mq, 1, "last");
  CLOSE_QUEUE(mq);
  CHECK_ERRNO(mq_getattr(mq, &(struct mq_attr){0}), EBADF);

  /* Who has asked to be told once is not held up by it. */
  for (int n = 0; n < 40; n++) MOVE_TO_NEW();
}
