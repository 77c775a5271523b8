/* A flood of empty messages ends too: msgsnd() needs qnum + 1 <= qbytes as well. */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 5);
  for (int i = 0; i < 5; i++) CHECK_EQ(send_sized(id, 1, 0, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 0, IPC_NOWAIT), EAGAIN);
  CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EAGAIN);
  CHECK_EQ(stat_queue(id).msg_cbytes, 0);

  pid_t sender = FORK_SENDER(id, 2, "");
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "");
  CHECK_CHILD(sender);
  CHECK_EQ(stat_queue(id).msg_qnum, 5);
  REMOVE_QUEUE(id);

  id = new_queue();
  for (int i = 0; i < DEFAULT_MSGMNB; i++) CHECK_EQ(send_sized(id, 1, 0, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 0, IPC_NOWAIT), EAGAIN);

  /* A queue with no bytes takes no message, not even an empty one. */
  struct message message;
  for (int i = 0; i < DEFAULT_MSGMNB; i++) CHECK_EQ(msgrcv(id, &message, 0, 0, IPC_NOWAIT), 0);
  set_qbytes(id, 0);
  CHECK_ERRNO(send_sized(id, 1, 0, IPC_NOWAIT), EAGAIN);
  REMOVE_QUEUE(id);
}
