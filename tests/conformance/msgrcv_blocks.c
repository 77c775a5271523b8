/*
 * msgrcv() sleeps until a message comes that it selects; others stay in the queue and do not end
 * the sleep.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 1, "not this");
  pid_t exact = FORK_RECEIVER(id, 5, 0, 5, "five");
  CHECK_SEND(id, 4, "nor this");
  PAUSE_UNTIL_BLOCKED(exact);
  CHECK_SEND(id, 5, "five");
  CHECK_CHILD(exact);

  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "not this");
  pid_t lowest = FORK_RECEIVER(id, -3, 0, 3, "three");
  CHECK_SEND(id, 5, "too high");
  PAUSE_UNTIL_BLOCKED(lowest);
  CHECK_SEND(id, 3, "three");
  CHECK_CHILD(lowest);

  CHECK_RECV(id, 0, IPC_NOWAIT, 4, "nor this");
  CHECK_RECV(id, 0, IPC_NOWAIT, 5, "too high");
  pid_t any = FORK_RECEIVER(id, 0, 0, LONG_MAX, "whatever");
  CHECK_SEND(id, LONG_MAX, "whatever");
  CHECK_CHILD(any);
  CHECK_EQ(stat_queue(id).msg_qnum, 0);
  REMOVE_QUEUE(id);
}
