/*
 * Of sleepers with the same scheduling priority the one that has slept longest is served first:
 * receivers with a message, senders with room, whatever their messages' priorities.
 */
#include "mq_check.h"

enum { COUNT = 5 };

int main(void) {
  pid_t children[COUNT];
  char text[2] = "0";
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  for (int i = 0; i < COUNT; i++, text[0]++) children[i] = FORK_RECEIVER(mq, i, text);
  text[0] = '0';
  for (int i = 0; i < COUNT; i++, text[0]++) {
    CHECK_SEND(mq, i, text);
    CHECK_CHILD(children[i]);
  }

  CHECK_SEND(mq, 0, "full");
  text[0] = '0';
  for (int i = 0; i < COUNT; i++, text[0]++) children[i] = FORK_SENDER(mq, i * 7 % COUNT, text);
  CHECK_RECEIVE(mq, 0, "full");
  text[0] = '0';
  for (int i = 0; i < COUNT; i++, text[0]++) {
    CHECK_CHILD(children[i]);
    for (int later = i + 1; later < COUNT; later++) PAUSE_UNTIL_BLOCKED(children[later]);
    CHECK_RECEIVE(mq, i * 7 % COUNT, text);
  }
  REMOVE_QUEUE("/q");
}
