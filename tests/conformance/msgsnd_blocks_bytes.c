/*
 * msgsnd() fits while cbytes + msgsz <= qbytes; else EAGAIN with IPC_NOWAIT, or sleep until a
 * receive makes room.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 10);
  CHECK_EQ(send_sized(id, 1, 4, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 7, IPC_NOWAIT), EAGAIN);
  CHECK_EQ(send_sized(id, 1, 6, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EAGAIN);
  /* Bytes are used up, messages are not. */
  CHECK_EQ(send_sized(id, 2, 0, IPC_NOWAIT), 0);
  CHECK_EQ(stat_queue(id).msg_cbytes, 10);
  CHECK_EQ(stat_queue(id).msg_qnum, 3);

  pid_t sender = FORK_SENDER(id, 9, "abcde");
  CHECK_EQ(stat_queue(id).msg_qnum, 3);
  /* Four bytes are not enough for five. */
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "xxxx");
  PAUSE_UNTIL_BLOCKED(sender);
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "xxxxxx");
  CHECK_CHILD(sender);
  CHECK_EQ(stat_queue(id).msg_cbytes, 5);
  CHECK_EQ(stat_queue(id).msg_lspid, sender);

  /* The default queue takes 16384 bytes. */
  set_qbytes(id, DEFAULT_MSGMNB);
  CHECK_EQ(send_sized(id, 1, 8192, IPC_NOWAIT), 0);
  CHECK_EQ(send_sized(id, 1, 8187, IPC_NOWAIT), 0);
  CHECK_ERRNO(send_sized(id, 1, 1, IPC_NOWAIT), EAGAIN);
  REMOVE_QUEUE(id);
}
