/*
 * The notification's signal is one as any other: it runs the handler, ends a sleeping call with
 * EINTR, kills by default, and does nothing when it is ignored. It is sent before mq_send()
 * returns.
 */
#include "mq_check.h"

static volatile sig_atomic_t handled;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)context;
  handled = info->si_code == SI_MESGQ ? 1 : -1;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t other = NEW_QUEUE("/other", 1, 8);
  sigaction(SIGUSR1, &action, NULL);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_EQ(handled, 0);
  CHECK_SEND(mq, 0, "x");
  CHECK_EQ(handled, 1);
  CHECK_RECEIVE(mq, 0, "x");

  pid_t child = fork_child();
  if (child == 0) {
    char room[8];
    CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
    CHECK_ERRNO(mq_receive(other, room, sizeof room, NULL), EINTR);
    CHECK_CURMSGS(mq, 1);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "x");
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 0, "x");

  int status;
  child = fork_child();
  if (child == 0) {
    CHECK_EQ(notify_by_signal(mq, SIGTERM), 0);
    for (;;) pause();
  }
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_SEND(mq, 0, "x");
  CHECK_EQ(waitpid(child, &status, 0), child);
  forget_child(child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  CHECK_RECEIVE(mq, 0, "x");

  signal(SIGUSR2, SIG_IGN);
  CHECK_EQ(notify_by_signal(mq, SIGUSR2), 0);
  CHECK_SEND(mq, 0, "x");
  CHECK_STATUS(mq, 1, 0, 0, 0);
  REMOVE_QUEUE("/q");
  REMOVE_QUEUE("/other");
}
