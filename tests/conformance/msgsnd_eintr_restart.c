/*
 * A signal handler ends a blocked msgsnd() with EINTR, SA_RESTART or not, and its message is never
 * sent. Signals that are ignored or blocked do not disturb it.
 */
#include "msg_check.h"

static void on_signal(int number) { (void)number; }

static pid_t interruptible_sender(int id, int flags) {
  pid_t child = fork_child();
  if (child == 0) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK_ERRNO(send_sized(id, 2, 3, 0), EINTR);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  return child;
}

int main(void) {
  int id = new_queue();
  set_qbytes(id, 4);
  CHECK_SEND(id, 1, "full");

  const int flags[] = {0, SA_RESTART};
  for (int i = 0; i < 2; i++) {
    pid_t sender = interruptible_sender(id, flags[i]);
    const int harmless[] = {SIGUSR2, SIGHUP, SIGWINCH, SIGCHLD};
    for (int n = 0; n < 4; n++) {
      kill(sender, harmless[n]);
      PAUSE_UNTIL_BLOCKED(sender);
    }
    kill(sender, SIGUSR1);
    CHECK_CHILD(sender);
  }

  CHECK_RECV(id, 0, IPC_NOWAIT, 1, "full");
  sleep_ms(5);
  CHECK_NOTHING(id, 0);
  CHECK_EQ(stat_queue(id).msg_lspid, getpid());
  REMOVE_QUEUE(id);
}
