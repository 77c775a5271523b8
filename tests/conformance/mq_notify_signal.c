/*
 * SIGEV_SIGNAL: the first message of an empty queue sends the signal to the process, with si_code
 * SI_MESGQ, the value that was given, and the sender's pid and real uid.
 */
#include "mq_check.h"

static void check_info(const siginfo_t* info, pid_t pid, uid_t uid) {
  CHECK_EQ(info->si_signo, SIGUSR1);
  CHECK_EQ(info->si_code, SI_MESGQ);
  CHECK_EQ(info->si_errno, 0);
  CHECK_EQ(info->si_value.sival_int, 77);
  CHECK_EQ(info->si_pid, pid);
  CHECK_EQ(info->si_uid, uid);
}

int main(void) {
  siginfo_t info;
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  block_signal(SIGUSR1);
  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  CHECK_NO_SIGNAL(SIGUSR1);
  CHECK_SEND(mq, 0, "x");
  CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
  check_info(&info, getpid(), getuid());
  CHECK_RECEIVE(mq, 0, "x");

  CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
  pid_t sender = fork_child();
  if (sender == 0) {
    CHECK_SEND(mq, 0, "x");
    _exit(0);
  }
  await_zombie(sender);
  CHECK_EQ(take_signal(SIGUSR1, &info), SIGUSR1);
  check_info(&info, sender, getuid());
  CHECK_CHILD(sender);
  CHECK_RECEIVE(mq, 0, "x");

  /* A pointer comes whole, and a queued signal keeps its own. */
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
  event.sigev_value.sival_ptr = &event;
  block_signal(SIGRTMIN);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(mq_notify(mq, &event), 0);
    CHECK_SEND(mq, 0, "x");
    CHECK_RECEIVE(mq, 0, "x");
  }
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(take_signal(SIGRTMIN, &info), SIGRTMIN);
    CHECK(info.si_value.sival_ptr == &event);
  }
  CHECK_NO_SIGNAL(SIGRTMIN);
  REMOVE_QUEUE("/q");
}
