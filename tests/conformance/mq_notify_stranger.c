/*
 * SIGEV_SIGNAL: whoever sends the first message need not have the right to send signals; si_uid is
 * his real user id.
 */
#include "mq_check.h"

enum { USER = 32013, OTHER = 32014 };

int main(void) {
  NEED_ROOT();
  siginfo_t info;
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t sender = fork_child();
  if (sender == 0) {
    CHECK_EQ(setresuid(USER, OTHER, OTHER), 0);
    CHECK_SEND(mq, 0, "x");
    _exit(0);
  }
  await_zombie(sender);
  CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
  CHECK_EQ(info.si_code, SI_MESGQ);
  CHECK_EQ(info.si_value.sival_int, 77);
  CHECK_EQ(info.si_pid, sender);
  CHECK_EQ(info.si_uid, USER);
  CHECK_CHILD(sender);
  REMOVE_QUEUE("/q");
}
