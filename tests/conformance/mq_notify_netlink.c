/*
 * The system call's SIGEV_THREAD: sigev_signo is a netlink socket, sigev_value points to 32 bytes,
 * which it gives when there is a message, the last byte 1, or when the registration is removed, the
 * last byte 2. What is no such socket is EBADF, ENOTSOCK or EINVAL.
 */
#include "mq_check.h"
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static unsigned char cookie[32];

static long notify(mqd_t mq, int socket, void* value) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = socket};
  event.sigev_value.sival_ptr = value;
  return syscall(SYS_mq_notify, mq, &event);
}

static void check_cookie(int socket, int last) {
  unsigned char got[64];
  CHECK_EQ(recv(socket, got, sizeof got, MSG_DONTWAIT), 32);
  CHECK_EQ(memcmp(got, cookie, 31), 0);
  CHECK_EQ(got[31], last);
  CHECK_ERRNO(recv(socket, got, sizeof got, MSG_DONTWAIT), EAGAIN);
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  int file = CHECK_OK(open("/proc/self/stat", O_RDONLY)), sockets[2];
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (netlink < 0) SKIP("needs netlink sockets");
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  for (int i = 0; i < 32; i++) cookie[i] = 100 + i;
  CHECK_ERRNO(notify(mq, -1, cookie), EBADF);
  CHECK_ERRNO(notify(mq, file, cookie), ENOTSOCK);
  CHECK_ERRNO(notify(mq, sockets[0], cookie), EINVAL);
  CHECK_ERRNO(notify(mq, netlink, NULL), EFAULT);
  CHECK_ERRNO(notify(-1, netlink, cookie), EBADF);

  CHECK_EQ(notify(mq, netlink, cookie), 0);
  CHECK_STATUS(mq, 0, SIGEV_THREAD, 0, getpid());
  CHECK_ERRNO(notify(mq, netlink, cookie), EBUSY);
  CHECK_SEND(mq, 0, "x");
  check_cookie(netlink, 1);
  CHECK_STATUS(mq, 1, 0, 0, 0);
  CHECK_RECEIVE(mq, 0, "x");

  CHECK_EQ(notify(mq, netlink, cookie), 0);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  check_cookie(netlink, 2);
  CHECK_EQ(notify(mq, netlink, cookie), 0);
  CLOSE_QUEUE(CHECK_OK(dup(mq)));
  check_cookie(netlink, 2);
  REMOVE_QUEUE("/q");
}
