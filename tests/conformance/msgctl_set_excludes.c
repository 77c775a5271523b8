/*
 * IPC_SET that takes a sleeper's permission away: receivers return EACCES at once, senders when
 * they would fit, and until then they sleep on.
 */
#include "msg_check.h"

enum { STRANGER = 10001 };

int main(void) {
  NEED_ROOT();
  int id = new_queue();
  set_mode(id, 0666);
  set_qbytes(id, 4);
  CHECK_SEND(id, 1, "full");

  pid_t receiver = fork_child();
  if (receiver == 0) {
    become(STRANGER, STRANGER, 0);
    struct message message;
    CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 5, 0), EACCES);
    _exit(0);
  }
  pid_t sender = fork_child();
  if (sender == 0) {
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(send_sized(id, 2, 1, 0), EACCES);
    _exit(0);
  }
  pid_t root_receiver = FORK_RECEIVER(id, 6, 0, 6, "six");
  PAUSE_UNTIL_BLOCKED(receiver);
  PAUSE_UNTIL_BLOCKED(sender);

  set_mode(id, 0662);
  CHECK_CHILD(receiver);
  PAUSE_UNTIL_BLOCKED(sender);
  set_mode(id, 0660);
  PAUSE_UNTIL_BLOCKED(sender);
  PAUSE_UNTIL_BLOCKED(root_receiver);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "full");
  CHECK_CHILD(sender);
  CHECK_NOTHING(id, 0);

  CHECK_SEND(id, 6, "six");
  CHECK_CHILD(root_receiver);
  REMOVE_QUEUE(id);
}
