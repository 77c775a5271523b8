/*
 * msgsnd() and msgrcv() ignore flag bits that they do not know, and those that belong to another
 * call.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  struct message message = {.type = 1, .text = "ab"};
  const int others = (int)0xfff80000 | IPC_CREAT | IPC_EXCL | 0777;

  CHECK_EQ(msgsnd(id, &message, 2, others | MSG_NOERROR | MSG_EXCEPT | MSG_COPY), 0);
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  CHECK_ERRNO(msgrcv(id, &message, 1, 0, others), E2BIG);
  CHECK_EQ(msgrcv(id, &message, 2, 0, others), 2);
  CHECK_ERRNO(msgrcv(id, &message, 2, 0, others | IPC_NOWAIT), ENOMSG);

  set_qbytes(id, 1);
  CHECK_ERRNO(msgsnd(id, &message, 2, others | IPC_NOWAIT), EAGAIN);
  REMOVE_QUEUE(id);
}
