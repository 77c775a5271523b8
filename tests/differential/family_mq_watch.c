// poll(2), select(2) and epoll(7) on message queues.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include "family_mq.h"
#include "family_mq_text.h"

enum { kMaxPolled = 3, kMaxEvents = 32, kMillion = 1000000 };

void mq_execute_poll(const Request* request, Reply* reply, Text* text) {
  struct pollfd fds[kMaxPolled];
  const int count = (int)request->arg[2];
  const int milliseconds = (int)request->arg[1];
  const struct timespec time = {0, milliseconds * (long)kMillion};
  for (int i = 0; i < count; i++)
    fds[i] = (struct pollfd){.fd = request->list[2 * i] == 0 ? -1 : request->list[2 * i],
                             .events = request->list[2 * i + 1],
                             .revents = 0x55};
  errno = 0;
  reply->ret = request->raw ? ppoll(fds, (nfds_t)count, milliseconds < 0 ? NULL : &time, NULL)
                            : poll(fds, (nfds_t)count, milliseconds);
  reply->error = errno;
  for (int i = 0; reply->ret >= 0 && i < count; i++) {
    text_add(text, i == 0 ? " " : ", ");
    mq_add_poll_events(text, fds[i].revents);
  }
}

typedef struct Sets {
  fd_set in, out, except;
} Sets;

// What descriptors poll(2) asks for. The highest number, -1 if there is none.
static int fill_sets(const Request* request, Sets* sets) {
  int highest = -1;
  FD_ZERO(&sets->in);
  FD_ZERO(&sets->out);
  FD_ZERO(&sets->except);
  for (int i = 0; i < request->arg[2]; i++) {
    const int fd = request->list[2 * i];
    const int events = request->list[2 * i + 1];
    if (fd <= 0 || fd >= FD_SETSIZE) continue;
    if ((events & (POLLIN | POLLRDNORM)) != 0) FD_SET(fd, &sets->in);
    if ((events & (POLLOUT | POLLWRNORM)) != 0) FD_SET(fd, &sets->out);
    if ((events & POLLPRI) != 0) FD_SET(fd, &sets->except);
    if (fd > highest) highest = fd;
  }
  return highest;
}

void mq_execute_select(const Request* request, Reply* reply, Text* text) {
  Sets sets;
  const int count = fill_sets(request, &sets) + 1;
  const int milliseconds = (int)request->arg[1];
  struct timeval time = {0, milliseconds * 1000L};
  const struct timespec exact = {0, milliseconds * (long)kMillion};
  errno = 0;
  reply->ret = request->raw ? pselect(count, &sets.in, &sets.out, &sets.except,
                                      milliseconds < 0 ? NULL : &exact, NULL)
                            : select(count, &sets.in, &sets.out, &sets.except,
                                     milliseconds < 0 ? NULL : &time);
  reply->error = errno;
  for (int fd = 0; reply->ret >= 0 && fd < count; fd++) {
    if (FD_ISSET(fd, &sets.in)) text_add(text, " in %d", fd);
    if (FD_ISSET(fd, &sets.out)) text_add(text, " out %d", fd);
    if (FD_ISSET(fd, &sets.except)) text_add(text, " except %d", fd);
  }
}

static void need_epoll(void) {
  if (fcntl(kMqEpoll, F_GETFD) >= 0) return;
  const int made = epoll_create1(EPOLL_CLOEXEC);
  if (made < 0 || fcntl(made, F_DUPFD_CLOEXEC, kMqEpoll) != kMqEpoll || close(made) != 0) abort();
}

void mq_execute_epoll_ctl(const Request* request, Reply* reply) {
  const int fd = (int)request->arg[0];
  struct epoll_event event = {.events = (uint32_t)request->arg[2], .data.fd = fd};
  need_epoll();
  errno = 0;
  // What its standard input is does not matter here.
  if (fd >= 0 && fd <= 2)
    errno = EPERM;
  else
    reply->ret = epoll_ctl(kMqEpoll, (int)request->arg[1], fd, &event);
}

static int compare_events(const void* left, const void* right) {
  const struct epoll_event* a = left;
  const struct epoll_event* b = right;
  return a->data.fd != b->data.fd ? a->data.fd - b->data.fd : (int)a->events - (int)b->events;
}

void mq_execute_epoll_wait(const Request* request, Reply* reply, Text* text) {
  struct epoll_event events[kMaxEvents];
  const int milliseconds = (int)request->arg[1];
  need_epoll();
  errno = 0;
  reply->ret = request->raw ? epoll_pwait(kMqEpoll, events, kMaxEvents, milliseconds, NULL)
                            : epoll_wait(kMqEpoll, events, kMaxEvents, milliseconds);
  reply->error = errno;
  if (reply->ret < 0) return;
  qsort(events, (size_t)reply->ret, sizeof(events[0]), compare_events);
  for (int i = 0; i < reply->ret; i++) {
    text_add(text, " %d ", events[i].data.fd);
    mq_add_epoll_events(text, events[i].events);
  }
}
