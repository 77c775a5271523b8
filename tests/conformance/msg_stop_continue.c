/*
 * SIGSTOP and SIGCONT do not end a blocked msgrcv() or msgsnd() (no EINTR): it goes on where it
 * was.
 */
#include "msg_check.h"

static void stop_and_continue(pid_t child) {
  kill(child, SIGSTOP);
  while (task_state(child) != 'T') sleep_ms(1);
  kill(child, SIGCONT);
  PAUSE_UNTIL_BLOCKED(child);
}

int main(void) {
  int id = new_queue();
  pid_t receiver = FORK_RECEIVER(id, 0, 0, 1, "hello");
  stop_and_continue(receiver);
  CHECK_SEND(id, 1, "hello");
  CHECK_CHILD(receiver);

  set_qbytes(id, 4);
  CHECK_SEND(id, 2, "full");
  pid_t sender = FORK_SENDER(id, 3, "next");
  stop_and_continue(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "full");
  CHECK_CHILD(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "next");
  REMOVE_QUEUE(id);
}
