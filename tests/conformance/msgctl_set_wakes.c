/*
 * IPC_SET wakes the sleepers: senders that fit now go in, all others go back to sleep and miss
 * nothing afterwards.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 4);
  CHECK_SEND(id, 1, "full");
  pid_t small = FORK_SENDER(id, 2, "ab");
  pid_t big = FORK_SENDER(id, 3, "abcdefgh");
  pid_t receiver = FORK_RECEIVER(id, 9, 0, 9, "");

  /* Not enough for either. */
  set_qbytes(id, 5);
  PAUSE_UNTIL_BLOCKED(small);
  PAUSE_UNTIL_BLOCKED(big);
  set_qbytes(id, 6);
  CHECK_CHILD(small);
  PAUSE_UNTIL_BLOCKED(big);
  set_qbytes(id, 14);
  CHECK_CHILD(big);
  PAUSE_UNTIL_BLOCKED(receiver);

  CHECK_EQ(send_sized(id, 9, 0, IPC_NOWAIT), 0);
  CHECK_CHILD(receiver);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "full");
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "ab");
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "abcdefgh");
  REMOVE_QUEUE(id);
}
