/*
 * A killed sleeper leaves the line: it swallows no later message, sends nothing and blocks nobody
 * behind it.
 */
#include "msg_check.h"

int main(void) {
  int id = new_queue();
  pid_t killed = FORK_RECEIVER(id, 0, 0, 1, "never");
  pid_t next = FORK_RECEIVER(id, 0, 0, 1, "for the next");
  KILL_CHILD(killed);
  CHECK_SEND(id, 1, "for the next");
  CHECK_CHILD(next);

  killed = FORK_RECEIVER(id, 0, 0, 1, "never");
  KILL_CHILD(killed);
  CHECK_SEND(id, 1, "stays");
  CHECK_EQ(stat_queue(id).msg_qnum, 1);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "stays");

  /* Dead, though not yet reaped. */
  killed = FORK_RECEIVER(id, 0, 0, 1, "never");
  kill(killed, SIGKILL);
  while (task_state(killed) != 'Z') sleep_ms(1);
  CHECK_SEND(id, 1, "stays");
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "stays");
  KILL_CHILD(killed);

  set_qbytes(id, 4);
  CHECK_SEND(id, 2, "full");
  killed = FORK_SENDER(id, 3, "dead");
  next = FORK_SENDER(id, 4, "live");
  KILL_CHILD(killed);
  CHECK_RECV(id, 0, IPC_NOWAIT, 2, "full");
  CHECK_CHILD(next);
  CHECK_RECV(id, 0, IPC_NOWAIT, 4, "live");
  sleep_ms(5);
  CHECK_NOTHING(id, 0);
  CHECK_EQ(stat_queue(id).msg_lspid, next);

  /* What was sent outlives its sender. */
  pid_t sender = fork_child();
  if (sender == 0) {
    CHECK_SEND(id, 5, "sent");
    kill(getpid(), SIGKILL);
  }
  while (task_state(sender) != 'Z') sleep_ms(1);
  KILL_CHILD(sender);
  CHECK_RECV(id, 0, IPC_NOWAIT, 5, "sent");
  REMOVE_QUEUE(id);
}
