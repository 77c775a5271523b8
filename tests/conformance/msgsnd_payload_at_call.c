/*
 * A blocked msgsnd() has taken type and text at the call: what happens to the buffer during the
 * sleep is not sent.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  set_qbytes(id, 8);
  CHECK_SEND(id, 1, "occupied");

  struct message* message = shared_memory(sizeof *message);
  message->type = 2;
  strcpy(message->text, "early");
  pid_t sender = fork_child();
  if (sender == 0) {
    CHECK_EQ(msgsnd(id, message, 5, 0), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sender);
  message->type = 3;
  strcpy(message->text, "late!");

  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "occupied");
  CHECK_CHILD(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "early");
  REMOVE_QUEUE(id);
}
