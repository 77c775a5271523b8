/*
 * The registration ends with its process, by exit or by SIGKILL, though it is not yet reaped, and
 * others hold the descriptor. A child does not inherit it.
 */
#include "mq_check.h"

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  int* stage = shared_memory(sizeof *stage);
  for (int killed = 0; killed < 2; killed++) {
    announce(stage, 0);
    pid_t child = fork_child();
    if (child == 0) {
      CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
      announce(stage, 1);
      await(stage, 2);
      if (killed)
        for (;;) pause();
      _exit(0);
    }
    await(stage, 1);
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, child);
    CHECK_ERRNO(notify_by_signal(mq, SIGUSR2), EBUSY);
    announce(stage, 2);
    if (killed)
      kill_to_zombie(child);
    else
      await_zombie(child);
    CHECK_STATUS(mq, 0, 0, 0, 0);
    CHECK_EQ(notify_by_signal(mq, SIGUSR2), 0);
    CHECK_EQ(mq_notify(mq, NULL), 0);
    if (killed)
      KILL_CHILD(child);
    else
      CHECK_CHILD(child);
  }

  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getppid());
    CHECK_SEND(mq, 0, "x");
    CHECK_NO_SIGNAL(SIGUSR1);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_SIGNAL(SIGUSR1);
  REMOVE_QUEUE("/q");
}
