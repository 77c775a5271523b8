/*
 * A descriptor passed over a UNIX socket (SCM_RIGHTS) is the queue in its receiver, with the same
 * flags and mode, also when the queue has no name, the sender has closed its own and some process
 * waits for the queue by epoll(7).
 */
#include "mq_check.h"
#include <sys/epoll.h>
#include <sys/socket.h>

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static void pass(int socket, int fd) {
  char byte = 0;
  union control control = {.header = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK_EQ(sendmsg(socket, &message, 0), 1);
}

static int take(int socket) {
  char byte;
  int fd;
  union control control;
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK_EQ(recvmsg(socket, &message, 0), 1);
  CHECK_EQ(control.header.cmsg_type, SCM_RIGHTS);
  memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  return fd;
}

int main(void) {
  int sockets[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  pid_t child = fork_child();
  if (child == 0) {
    mqd_t mq = take(sockets[1]), reader = take(sockets[1]);
    mqd_t fresh = take(sockets[1]), other = take(sockets[1]);
    char room[8];
    CHECK_EQ(fcntl(mq, F_GETFD), 0);
    CHECK_RECEIVE(mq, 4, "passed");
    CHECK_EQ(attributes(mq).mq_flags, O_NONBLOCK);
    CHECK_EQ(attributes(reader).mq_flags, 0);
    CHECK_ERRNO(mq_send(reader, "x", 1, 0), EBADF);
    CHECK_SEND(mq, 5, "answer");
    /* Calls that know nothing of queues may be a descriptor's first here. */
    CHECK_EQ(read(fresh, room, sizeof room), sizeof room);
    CHECK_EQ(memcmp(room, "QSIZE:6 ", sizeof room), 0);
    errno = 0;
    CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
    CHECK_EQ(errno, 0);
    CHECK_EQ(close(fresh), 0);
    CHECK_EQ(close(other), 0);
    pass(sockets[1], reader);
    _exit(0);
  }
  mqd_t mq = NEW_QUEUE_WITH("/q", 2, 8, O_NONBLOCK);
  mqd_t reader = CHECK_OK(mq_open("/q", O_RDONLY));
  CHECK_SEND(mq, 4, "passed");
  int watcher = CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
  struct epoll_event event = {.events = EPOLLIN};
  CHECK_EQ(epoll_ctl(watcher, EPOLL_CTL_ADD, mq, &event), 0);
  pass(sockets[0], mq);
  pass(sockets[0], reader);
  pass(sockets[0], CHECK_OK(mq_open("/q", O_RDONLY)));
  pass(sockets[0], CHECK_OK(mq_open("/q", O_RDONLY)));
  REMOVE_QUEUE("/q");
  CLOSE_QUEUE(mq);
  CLOSE_QUEUE(reader);
  CHECK_CHILD(child);
  /* Meanwhile it lived in the socket alone. */
  CHECK_RECEIVE(take(sockets[0]), 5, "answer");
}
