/*
 * Who may open a queue, by whatever mode, may be registered; a process that has changed its user
 * since is notified still. The registration is a process's, whoever it is now.
 */
#include "mq_check.h"

enum { USER = 32018 };

int main(void) {
  NEED_ROOT();
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int* stage = shared_memory(sizeof *stage);
  CHECK_EQ(fchmod(mq, 0602), 0);
  pid_t child = fork_child();
  if (child == 0) {
    block_signal(SIGUSR1);
    block_signal(SIGUSR2);
    become(USER, USER, 0);
    mqd_t own = CHECK_OK(mq_open("/q", O_WRONLY));
    CHECK_EQ(notify_by_signal(own, SIGUSR1), 0);
    announce(stage, 1);
    await(stage, 2);
    siginfo_t info;
    CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
    CHECK_EQ(info.si_pid, getppid());
    CHECK_EQ(info.si_uid, 0);
    _exit(0);
  }
  await(stage, 1);
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, child);
  CHECK_ERRNO(notify_by_signal(mq, SIGUSR2), EBUSY);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  CHECK_SEND(mq, 0, "x");
  announce(stage, 2);
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 0, "x");

  child = fork_child();
  if (child == 0) {
    block_signal(SIGUSR1);
    CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
    become(USER, USER, 0);
    CHECK_SEND(mq, 0, "x");
    CHECK_SIGNAL(SIGUSR1);
    _exit(0);
  }
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
