/*
 * A stopped sleeper is no longer in the line: messages pass it by. When it is continued its call
 * begins anew, without EINTR, and it stands last.
 */
#include "mq_check.h"

static void stop(pid_t child) {
  int status;
  kill(child, SIGSTOP);
  CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
  CHECK(WIFSTOPPED(status));
}

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  pid_t stopped = FORK_RECEIVER(mq, 0, "2");
  pid_t next = FORK_RECEIVER(mq, 0, "1");
  stop(stopped);
  CHECK_SEND(mq, 0, "1");
  CHECK_CHILD(next);
  CHECK_SEND(mq, 0, "other");
  CHECK_CURMSGS(mq, 1);
  CHECK_RECEIVE(mq, 0, "other");
  kill(stopped, SIGCONT);
  PAUSE_UNTIL_BLOCKED(stopped);
  CHECK_SEND(mq, 0, "2");
  CHECK_CHILD(stopped);

  stopped = FORK_RECEIVER(mq, 0, "2");
  next = FORK_RECEIVER(mq, 0, "1");
  stop(stopped);
  kill(stopped, SIGCONT);
  PAUSE_UNTIL_BLOCKED(stopped);
  CHECK_SEND(mq, 0, "1");
  CHECK_CHILD(next);
  CHECK_SEND(mq, 0, "2");
  CHECK_CHILD(stopped);

  CHECK_SEND(mq, 0, "full");
  stopped = FORK_SENDER(mq, 0, "sent");
  stop(stopped);
  CHECK_RECEIVE(mq, 0, "full");
  CHECK_CURMSGS(mq, 0);
  kill(stopped, SIGCONT);
  CHECK_CHILD(stopped);
  CHECK_RECEIVE(mq, 0, "sent");
  REMOVE_QUEUE("/q");
}
