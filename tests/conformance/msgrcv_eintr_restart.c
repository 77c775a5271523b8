/*
 * A signal handler ends a blocked msgrcv() with EINTR, SA_RESTART or not; the receiver is then no
 * longer in line for a message. Signals that are ignored or blocked do not disturb it.
 */
#include "msg_check.h"

enum { ASLEEP, INTERRUPTED, SENT };

static void on_signal(int number) { (void)number; }

static void receive_interrupted(int id, int flags, int* stage) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);

  struct message message = {.type = 77};
  CHECK_ERRNO(msgrcv(id, &message, sizeof message.text, 0, 0), EINTR);
  CHECK_EQ(message.type, 77);
  announce(stage, INTERRUPTED);
  await(stage, SENT);
  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "after");
}

int main(void) {
  int id = new_queue();
  int* stage = shared_memory(sizeof *stage);
  const int flags[] = {0, SA_RESTART};
  for (int i = 0; i < 2; i++) {
    announce(stage, ASLEEP);
    pid_t receiver = fork_child();
    if (receiver == 0) {
      receive_interrupted(id, flags[i], stage);
      _exit(0);
    }
    PAUSE_UNTIL_BLOCKED(receiver);
    const int harmless[] = {SIGUSR2, SIGHUP, SIGWINCH, SIGCHLD};
    for (int n = 0; n < 4; n++) {
      kill(receiver, harmless[n]);
      PAUSE_UNTIL_BLOCKED(receiver);
    }

    kill(receiver, SIGUSR1);
    await(stage, INTERRUPTED);
    CHECK_SEND(id, 1, "after");
    CHECK_EQ(stat_queue(id).msg_qnum, 1);
    announce(stage, SENT);
    CHECK_CHILD(receiver);
  }
  REMOVE_QUEUE(id);
}
