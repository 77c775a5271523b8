/*
 * Messages without text: sent, counted, ordered, selected and received as any other; nothing is
 * stored but the type.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_EQ(send_sized(id, 7, 0, 0), 0);
  CHECK_EQ(send_sized(id, 8, 0, 0), 0);
  struct msqid_ds ds = stat_queue(id);
  CHECK_EQ(ds.msg_qnum, 2);
  CHECK_EQ(ds.msg_cbytes, 0);

  struct message message;
  memset(&message, '#', sizeof message);
  CHECK_EQ(msgrcv(id, &message, 0, 8, IPC_NOWAIT), 0);
  CHECK_EQ(message.type, 8);
  CHECK_EQ(message.text[0], '#');
  /* Only the type is written: the buffer may end behind it. */
  long* type_only = (long*)(end_of_memory() - sizeof(long));
  CHECK_EQ(msgrcv(id, type_only, 100, 0, IPC_NOWAIT), 0);
  CHECK_EQ(*type_only, 7);

  pid_t receiver = FORK_RECEIVER(id, 0, 0, 9, "");
  CHECK_EQ(send_sized(id, 9, 0, 0), 0);
  CHECK_CHILD(receiver);
  REMOVE_QUEUE(id);
}
