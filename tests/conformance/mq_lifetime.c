/*
 * A queue and its messages live without any process, until mq_unlink(). An unlinked one lives until
 * its last descriptor anywhere is closed, be it by a process that is killed: then its bytes are its
 * maker's again.
 */
#include "mq_check.h"

/* Its own: a user's queues in all namespaces count together. */
static uid_t user;

static long second_queue(void) {
  struct mq_attr attr = room_for(10, 8);
  mqd_t mq = mq_open("/second", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
  if (mq < 0) return -1;
  CLOSE_QUEUE(mq);
  REMOVE_QUEUE("/second");
  return 0;
}

int main(void) {
  NEED_ROOT();
  user = 1000000 + getpid();
  pid_t maker = fork_child();
  if (maker == 0) {
    mqd_t mq = NEW_QUEUE("/left", 2, 8);
    CHECK_SEND(mq, 2, "left");
    kill(getpid(), SIGKILL);
  }
  await_zombie(maker);
  mqd_t left = CHECK_OK(mq_open("/left", O_RDWR));
  KILL_CHILD(maker);
  CHECK_RECEIVE(left, 2, "left");
  REMOVE_QUEUE("/left");

  struct rlimit limit = {10 * (8 + 96), 10 * (8 + 96)};
  CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
  become(user, user, 0);
  CHECK_EQ(second_queue(), 0);
  mqd_t mq = NEW_QUEUE("/q", 10, 8);
  CHECK_SEND(mq, 1, "x");
  pid_t holder = fork_child();
  if (holder == 0)
    for (;;) pause();
  CHECK_ERRNO(second_queue(), EMFILE);
  REMOVE_QUEUE("/q");
  CHECK_ERRNO(second_queue(), EMFILE);
  CLOSE_QUEUE(mq);
  CHECK_ERRNO(second_queue(), EMFILE);
  KILL_CHILD(holder);
  CHECK_EQ(second_queue(), 0);
}
