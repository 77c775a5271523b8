/*
 * Whatever the order, every blocked sender gets through exactly once, and each sender's own
 * messages stay in order.
 */
#include "msg_check.h"

enum { SENDERS = 4, MESSAGES = 50 };

int main(void) {
  int id = new_queue();
  set_qbytes(id, 3);
  pid_t senders[SENDERS];
  for (int i = 0; i < SENDERS; i++) {
    senders[i] = fork_child();
    if (senders[i] == 0) {
      for (int n = 0; n < MESSAGES; n++) {
        char text[2] = {' ' + n, '\0'};
        CHECK_SEND_WAIT(id, 1 + i, text);
      }
      _exit(0);
    }
  }

  int seen[SENDERS] = {0};
  for (int n = 0; n < SENDERS * MESSAGES; n++) {
    struct message message;
    CHECK_EQ(msgrcv(id, &message, sizeof message.text, 0, 0), 1);
    CHECK(message.type >= 1 && message.type <= SENDERS);
    int sender = message.type - 1;
    CHECK_EQ(message.text[0], ' ' + seen[sender]++);
  }
  for (int i = 0; i < SENDERS; i++) CHECK_CHILD(senders[i]);
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
