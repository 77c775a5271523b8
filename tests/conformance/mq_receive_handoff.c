/*
 * A message for a sleeping receiver goes to it directly: it is never in the queue, and cannot be
 * taken by another. A sleeping sender's message enters the queue within the call that makes room.
 */
#include "mq_check.h"

int main(void) {
  char room[8];
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  for (int turn = 0; turn < 50; turn++) {
    pid_t receiver = FORK_RECEIVER(mq, 2, "handed");
    CHECK_SEND(mq, 2, "handed");
    CHECK_CURMSGS(mq, 0);
    CHECK_ERRNO(mq_timedreceive(mq, room, sizeof room, NULL, &the_past), ETIMEDOUT);
    CHECK_SEND(mq, 1, "next");
    CHECK_CHILD(receiver);
    CHECK_RECEIVE(mq, 1, "next");
  }
  for (int turn = 0; turn < 50; turn++) {
    CHECK_SEND(mq, 1, "first");
    pid_t sender = FORK_SENDER(mq, 2, "second");
    CHECK_RECEIVE(mq, 1, "first");
    CHECK_CURMSGS(mq, 1);
    CHECK_ERRNO(mq_timedsend(mq, "x", 1, 0, &the_past), ETIMEDOUT);
    CHECK_RECEIVE(mq, 2, "second");
    CHECK_CHILD(sender);
  }
  REMOVE_QUEUE("/q");
}
