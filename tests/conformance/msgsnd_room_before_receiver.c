/*
 * A full queue blocks a sender even when a receiver sleeps for just its message: room is looked at
 * first.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 4);
  CHECK_SEND(id, 1, "full");
  pid_t receiver = FORK_RECEIVER(id, 5, 0, 5, "five");
  CHECK_ERRNO(send_sized(id, 5, 4, IPC_NOWAIT), EAGAIN);
  pid_t sender = FORK_SENDER(id, 5, "five");
  PAUSE_UNTIL_BLOCKED(receiver);

  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "full");
  CHECK_CHILD(sender);
  CHECK_CHILD(receiver);
  CHECK_EQ(stat_queue(id).msg_qnum, 0);

  /* A queue without any bytes never hands over. */
  set_qbytes(id, 0);
  receiver = FORK_RECEIVER(id, 0, 0, 6, "");
  CHECK_ERRNO(send_sized(id, 6, 0, IPC_NOWAIT), EAGAIN);
  set_qbytes(id, 1);
  PAUSE_UNTIL_BLOCKED(receiver);
  CHECK_EQ(send_sized(id, 6, 0, IPC_NOWAIT), 0);
  CHECK_CHILD(receiver);
  REMOVE_QUEUE(id);
}
