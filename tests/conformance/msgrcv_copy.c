/*
 * MSG_COPY: typ is a position in the queue, whatever the types; the message stays, nothing about
 * the queue changes and no blocked sender is woken.
 */
#include "msg_check.h"

int main(void) {
  NEED_MSG_COPY();
  enum { PEEK = MSG_COPY | IPC_NOWAIT };
  int id = new_queue();
  set_qbytes(id, 6);
  CHECK_SEND(id, 9, "aaa");
  CHECK_SEND(id, 1, "bb");
  CHECK_SEND(id, 9, "c");
  struct msqid_ds before = stat_queue(id);
  pid_t sender = FORK_SENDER(id, 4, "d");

  CHECK_RECV(id, 0, PEEK, 9, "aaa");
  CHECK_RECV(id, 1, PEEK, 1, "bb");
  CHECK_RECV(id, 2, PEEK, 9, "c");
  CHECK_RECV(id, 0, PEEK, 9, "aaa");
  CHECK_RECV(id, 1, PEEK | MSG_NOERROR, 1, "bb");

  const long nowhere[] = {3, LONG_MAX, -1, LONG_MIN};
  struct message message;
  for (int i = 0; i < 4; i++)
    CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, nowhere[i], PEEK), ENOMSG);

  PAUSE_UNTIL_BLOCKED(sender);
  struct msqid_ds after = stat_queue(id);
  CHECK(memcmp(&before, &after, sizeof before) == 0);
  CHECK_EQ(after.msg_lrpid, 0);
  CHECK_EQ(after.msg_rtime, 0);

  /* Positions close up behind a message that is taken. */
  CHECK_RECV(id, 1, IPC_NOWAIT, 1, "bb");
  CHECK_CHILD(sender);
  CHECK_RECV(id, 1, PEEK, 9, "c");
  CHECK_RECV(id, 2, PEEK, 4, "d");
  REMOVE_QUEUE(id);
}
