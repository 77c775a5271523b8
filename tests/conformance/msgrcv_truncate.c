/*
 * A message longer than the buffer: E2BIG leaves it where it is; MSG_NOERROR takes it whole, gives
 * the first bytes and drops the rest. Bytes of the buffer beyond the message are not touched.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  struct message message;
  CHECK_SEND(id, 4, "abcdef");
  CHECK_SEND(id, 5, "x");

  message.type = 77;
  CHECK_ERRNO(msgrcv(id, &message, 5, 0, 0), E2BIG);
  CHECK_ERRNO(msgrcv(id, &message, 0, 0, IPC_NOWAIT), E2BIG);
  CHECK_EQ(message.type, 77);
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_qnum, 2);
  CHECK_EQ(ds.msg_cbytes, 7);
  CHECK_EQ(ds.msg_lrpid, 0);
  CHECK_EQ(ds.msg_rtime, 0);

  strcpy(message.text, "########");
  CHECK_EQ(msgrcv(id, &message, 2, 0, MSG_NOERROR), 2);
  CHECK_EQ(message.type, 4);
  CHECK_TEXT(message.text, "ab######");
  CHECK_EQ(stat_queue(id).msg_cbytes, 1);

  CHECK_EQ(msgrcv(id, &message, sizeof message.text, 0, MSG_NOERROR), 1);
  CHECK_TEXT(message.text, "xb######");

  CHECK_SEND(id, 6, "gone");
  CHECK_EQ(msgrcv(id, &message, 0, 0, MSG_NOERROR), 0);
  CHECK_EQ(message.type, 6);
  CHECK_TEXT(message.text, "xb######");
  CHECK_EQ(stat_queue(id).msg_qnum, 0);

  /* The buffer's size is not limited by msgmax. */
  CHECK_SEND(id, 7, "small");
  volatile size_t huge = LONG_MAX;
  CHECK_EQ(msgrcv(id, &message, huge, 0, IPC_NOWAIT), 5);
  REMOVE_QUEUE(id);
}
