/*
 * NOTIFY_PID is told in the reader's PID namespace, 0 when the process is not visible there; si_pid
 * in the receiver's.
 */
#include "mq_check.h"
#include <sched.h>

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  int* stage = shared_memory(sizeof *stage);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  if (unshare(CLONE_NEWPID) != 0) SKIP("needs the right to make a PID namespace");
  pid_t inside = fork_child();
  if (inside == 0) {
    CHECK_EQ(getpid(), 1);
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, 0);
    CHECK_SEND(mq, 0, "x");
    CHECK_RECEIVE(mq, 0, "x");
    CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, 1);
    announce(stage, 1);
    await(stage, 2);
    siginfo_t info;
    CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
    CHECK_EQ(info.si_pid, 0);
    _exit(0);
  }
  await(stage, 1);
  siginfo_t info;
  CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
  CHECK_EQ(info.si_pid, inside);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, inside);
  CHECK_SEND(mq, 0, "x");
  announce(stage, 2);
  CHECK_CHILD(inside);
  REMOVE_QUEUE("/q");
}
