/*
 * MSG_EXCEPT with typ > 0 takes the oldest message of any other type; with typ <= 0 it means
 * nothing.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  CHECK_SEND(id, 5, "a");
  CHECK_SEND(id, 5, "b");
  CHECK_ERRNO(msgrcv(id, &(struct message){0}, 1, 5, IPC_NOWAIT | MSG_EXCEPT), ENOMSG);
  CHECK_SEND(id, 9, "c");
  CHECK_SEND(id, 2, "d");
  CHECK_RECV(id, 5, IPC_NOWAIT | MSG_EXCEPT, 9, "c");
  CHECK_RECV(id, 7, IPC_NOWAIT | MSG_EXCEPT, 5, "a");

  /* Left: 5 "b", 2 "d". */
  CHECK_RECV(id, -5, IPC_NOWAIT | MSG_EXCEPT, 2, "d");
  CHECK_RECV(id, 0, IPC_NOWAIT | MSG_EXCEPT, 5, "b");

  /* Asleep it is just as choosy. */
  pid_t receiver = FORK_RECEIVER(id, 5, MSG_EXCEPT, 6, "six");
  CHECK_SEND(id, 5, "five");
  PAUSE_UNTIL_BLOCKED(receiver);
  CHECK_SEND(id, 6, "six");
  CHECK_CHILD(receiver);
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  REMOVE_QUEUE(id);
}
