/*
 * A blocked sender is no barrier: a newcomer's message that fits goes in, and so does a smaller one
 * blocked behind it.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 10);
  CHECK_SEND(id, 1, "12345678");
  pid_t big = FORK_SENDER(id, 2, "bigger");

  /* The newcomer passes. */
  CHECK_SEND(id, 3, "nc");
  pid_t small = FORK_SENDER(id, 4, "s");
  PAUSE_UNTIL_BLOCKED(big);

  /* Two bytes become free: enough for the second sleeper, not for the first. */
  CHECK_RECV(id, 3, IPC_NOWAIT, 3, "nc");
  CHECK_CHILD(small);
  PAUSE_UNTIL_BLOCKED(big);
  CHECK_EQ(stat_queue(id).msg_qnum, 2);

  /* Passed once more, then at last there is room. */
  CHECK_SEND(id, 5, "z");
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "12345678");
  CHECK_CHILD(big);
  CHECK_RECV(id, 0, IPC_NOWAIT, 4, "s");
  CHECK_RECV(id, 0, IPC_NOWAIT, 5, "z");
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "bigger");
  REMOVE_QUEUE(id);
}
