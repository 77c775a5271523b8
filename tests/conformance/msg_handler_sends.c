/*
 * A handler that interrupts msgrcv() may use the queue: what it sends is not handed to the call it
 * interrupted.
 */
#include "msg_check.h"

static int id;

static void on_signal(int number) {
  (void)number;
  CHECK_SEND(id, 1, "from the handler");
  CHECK_SEND(id, 2, "another");
  CHECK_RECV(id, 2, IPC_NOWAIT, 2, "another");
}

int main(void) {
  id = new_queue();
  pid_t receiver = fork_child();
  if (receiver == 0) {
    struct message message;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 0, 0), EINTR);
    CHECK_EQ(stat_queue(id).msg_qnum, 1);
    CHECK_RECV(id, 0, 0, 1, "from the handler");
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(receiver);
  kill(receiver, SIGUSR1);
  CHECK_CHILD(receiver);
  CHECK_NOTHING(id, 0);
  REMOVE_QUEUE(id);
}
