/*
 * A stopped process does not stand in line: its blocked call has left the queue and begins anew
 * after SIGCONT. So a message passes a stopped receiver, room passes a stopped sender, and after
 * IPC_RMID both find EINVAL instead of EIDRM.
 */
#include "msg_check.h"

static void stop(pid_t child) {
  kill(child, SIGSTOP);
  while (task_state(child) != 'T') sleep_ms(1);
}

int main(void) {
  int id = new_queue();
  pid_t stopped = FORK_RECEIVER(id, 0, 0, 1, "second");
  pid_t next = FORK_RECEIVER(id, 0, 0, 1, "first");
  stop(stopped);
  CHECK_SEND(id, 1, "first");
  CHECK_CHILD(next);
  CHECK_SEND(id, 1, "second");
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  kill(stopped, SIGCONT);
  CHECK_CHILD(stopped);

  set_qbytes(id, 4);
  CHECK_SEND(id, 2, "full");
  pid_t sender = FORK_SENDER(id, 3, "late");
  stop(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "full");
  CHECK_EQ(stat_queue(id).msg_qnum, 0);
  CHECK_SEND(id, 4, "us");
  CHECK_RECV(id, 0, IPC_NOWAIT, 4, "us");
  kill(sender, SIGCONT);
  CHECK_CHILD(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 3, "late");

  pid_t receiver = fork_child();
  if (receiver == 0) {
    struct message message;
    CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 0, 0), EINVAL);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(receiver);
  stop(receiver);
  REMOVE_QUEUE(id);
  kill(receiver, SIGCONT);
  CHECK_CHILD(receiver);
}
