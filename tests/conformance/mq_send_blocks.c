/*
 * A sender sleeps while the queue is full, whatever its message's priority, and its message takes
 * its place by priority when there is room. What it sends is what the memory held at the call.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  CHECK_SEND(mq, 5, "first");
  CHECK_SEND(mq, 5, "second");
  pid_t high = FORK_SENDER(mq, 9, "high");
  pid_t low = FORK_SENDER(mq, 1, "low");
  CHECK_CURMSGS(mq, 2);
  CHECK_STATUS(mq, 11, 0, 0, 0);
  CHECK_RECEIVE(mq, 5, "first");
  CHECK_CHILD(high);
  PAUSE_UNTIL_BLOCKED(low);
  CHECK_CURMSGS(mq, 2);
  CHECK_RECEIVE(mq, 9, "high");
  CHECK_CHILD(low);
  CHECK_RECEIVE(mq, 5, "second");
  CHECK_RECEIVE(mq, 1, "low");

  char* text = shared_memory(8);
  strcpy(text, "at call");
  CHECK_SEND(mq, 0, "x");
  CHECK_SEND(mq, 0, "y");
  pid_t sender = FORK_SENDER(mq, 0, text);
  strcpy(text, "later");
  CHECK_RECEIVE(mq, 0, "x");
  CHECK_CHILD(sender);
  CHECK_RECEIVE(mq, 0, "y");
  CHECK_RECEIVE(mq, 0, "at call");
  REMOVE_QUEUE("/q");
}
