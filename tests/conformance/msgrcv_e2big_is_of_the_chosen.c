/*
 * The message is chosen by type alone: if that one is too long, E2BIG, though others that match
 * would fit.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  struct message message;
  CHECK_SEND(id, 2, "long enough");
  CHECK_SEND(id, 2, "s");
  CHECK_SEND(id, 3, "t");
  CHECK_SEND(id, 1, "lowest type");

  CHECK_ERRNO(msgrcv(id, &message, 5, 0, IPC_NOWAIT), E2BIG);
  CHECK_ERRNO(msgrcv(id, &message, 5, 2, IPC_NOWAIT), E2BIG);
  CHECK_ERRNO(msgrcv(id, &message, 5, -3, IPC_NOWAIT), E2BIG);
  CHECK_ERRNO(msgrcv(id, &message, 5, 3, IPC_NOWAIT | MSG_EXCEPT), E2BIG);
  CHECK_EQ(stat_queue(id).msg_qnum, 4);

  /* Nothing was lost and the order is the same. */
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "long enough");
  CHECK_RECV(id, -3, IPC_NOWAIT, 1, "lowest type");
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "s");
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "t");
  REMOVE_QUEUE(id);
}
