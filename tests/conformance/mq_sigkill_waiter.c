/*
 * A killed sleeper leaves the line: it swallows no later message, sends nothing and blocks nobody
 * behind it. What was sent outlives its sender.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  pid_t killed = FORK_RECEIVER(mq, 0, "never");
  pid_t next = FORK_RECEIVER(mq, 0, "for next");
  KILL_CHILD(killed);
  CHECK_SEND(mq, 0, "for next");
  CHECK_CHILD(next);

  /* Dead, though not yet reaped. */
  killed = FORK_RECEIVER(mq, 0, "never");
  kill_to_zombie(killed);
  CHECK_SEND(mq, 0, "stays");
  CHECK_CURMSGS(mq, 1);
  CHECK_RECEIVE(mq, 0, "stays");
  KILL_CHILD(killed);

  CHECK_SEND(mq, 2, "full");
  killed = FORK_SENDER(mq, 3, "dead");
  next = FORK_SENDER(mq, 4, "live");
  KILL_CHILD(killed);
  CHECK_RECEIVE(mq, 2, "full");
  CHECK_CHILD(next);
  CHECK_RECEIVE(mq, 4, "live");
  CHECK_CURMSGS(mq, 0);

  pid_t sender = fork_child();
  if (sender == 0) {
    CHECK_SEND(mq, 5, "sent");
    kill(getpid(), SIGKILL);
  }
  await_zombie(sender);
  KILL_CHILD(sender);
  CHECK_RECEIVE(mq, 5, "sent");
  REMOVE_QUEUE("/q");
}
