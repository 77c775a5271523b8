/*
 * All calls on descriptors that are no queue's are EBADF: files, folders, pipes, sockets, memory.
 * mq_close() closes them.
 */
#include "mq_check.h"
#include <sys/epoll.h>
#include <sys/socket.h>

int main(void) {
  char room[16];
  int pipes[2], sockets[2];
  CHECK_EQ(pipe(pipes), 0);
  CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
  const int foreign[] = {
      CHECK_OK(open("/proc/self/stat", O_RDONLY)),
      CHECK_OK(open("/", O_RDONLY | O_DIRECTORY)),
      CHECK_OK(open("/", O_PATH)),
      pipes[0],
      pipes[1],
      sockets[0],
      CHECK_OK(memfd_create("x", 0)),
      CHECK_OK(epoll_create1(0)),
  };
  for (unsigned i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    int fd = foreign[i];
    CHECK_ERRNO(mq_getattr(fd, &(struct mq_attr){0}), EBADF);
    CHECK_ERRNO(mq_setattr(fd, &(struct mq_attr){0}, NULL), EBADF);
    CHECK_ERRNO(mq_send(fd, "x", 1, 0), EBADF);
    CHECK_ERRNO(mq_timedsend(fd, "x", 1, 0, &the_past), EBADF);
    CHECK_ERRNO(mq_receive(fd, room, sizeof room, NULL), EBADF);
    CHECK_ERRNO(mq_timedreceive(fd, room, sizeof room, NULL, &the_past), EBADF);
    CHECK_ERRNO(notify_by_signal(fd, SIGUSR1), EBADF);
    CHECK_ERRNO(mq_notify(fd, NULL), EBADF);
    CHECK_EQ(mq_close(fd), 0);
  }
}
