/*
 * poll(2): POLLIN when there is a message, POLLOUT when there is room, whatever the descriptor's
 * mode. A poll that waits is woken by both.
 */
#include "mq_check.h"

enum { IN = POLLIN | POLLRDNORM, OUT = POLLOUT | POLLWRNORM };

static int poll_all(mqd_t mq, int events, int timeout) {
  struct pollfd one = {mq, events, 0};
  CHECK_OK(poll(&one, 1, timeout));
  return one.revents;
}

static pid_t poller(mqd_t mq, int events, int want) {
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(poll_all(mq, events, -1), want);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  enum { EVERYTHING = IN | OUT | POLLPRI | POLLRDHUP | POLLRDBAND | POLLWRBAND };
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t reader = CHECK_OK(mq_open("/q", O_RDONLY));
  mqd_t writer = CHECK_OK(mq_open("/q", O_WRONLY));
  const mqd_t all[] = {mq, reader, writer};
  const int states[] = {OUT, IN | OUT, IN};
  for (int messages = 0; messages < 3; messages++) {
    for (int i = 0; i < 3; i++) CHECK_EQ(poll_all(all[i], EVERYTHING, 0), states[messages]);
    if (messages < 2) CHECK_SEND(mq, 0, "x");
  }
  CHECK_EQ(poll_all(mq, POLLOUT, 0), 0);
  CHECK_EQ(poll_all(mq, POLLOUT, 10), 0);

  pid_t child = poller(reader, POLLOUT, POLLOUT);
  CHECK_RECEIVE(mq, 0, "x");
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 0, "x");
  pid_t first = poller(mq, POLLIN, POLLIN), second = poller(writer, POLLIN, POLLIN);
  CHECK_SEND(mq, 0, "x");
  CHECK_CHILD(first);
  CHECK_CHILD(second);

  /* Unlinked, it is as before; nothing hangs up. */
  REMOVE_QUEUE("/q");
  CLOSE_QUEUE(writer);
  CLOSE_QUEUE(reader);
  CHECK_EQ(poll_all(mq, EVERYTHING, 0), IN | OUT);
}
