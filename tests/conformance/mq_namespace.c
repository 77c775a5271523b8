/*
 * Names belong to an IPC namespace: unshare(CLONE_NEWIPC) gives an empty one with the default
 * limits, setns(2) goes back. A descriptor goes on to mean its queue.
 */
#include "mq_check.h"
#include <sched.h>

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  int old = CHECK_OK(open("/proc/self/ns/ipc", O_RDONLY));
  pid_t sleeper = FORK_RECEIVER(mq, 1, "across");
  if (unshare(CLONE_NEWIPC) != 0) {
    KILL_CHILD(sleeper);
    SKIP("needs the right to unshare the IPC namespace");
  }
  CHECK_ERRNO(mq_open("/q", O_RDWR), ENOENT);
  CHECK_ERRNO(mq_unlink("/q"), ENOENT);
  CHECK_SEND(mq, 1, "across");
  CHECK_CHILD(sleeper);

  mqd_t new = NEW_QUEUE("/q", 1, 4);
  CHECK_SEND(new, 2, "new");
  CHECK_CURMSGS(mq, 0);
  pid_t child = fork_child();
  if (child == 0) {
    mqd_t same = CHECK_OK(mq_open("/q", O_RDWR));
    CHECK_RECEIVE(same, 2, "new");
    CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
    same = CHECK_OK(mq_open("/q", O_RDWR));
    CHECK_EQ(attributes(same).mq_maxmsg, 2);
    CHECK_SEND(same, 3, "old");
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 3, "old");
  REMOVE_QUEUE("/q");
  CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
  REMOVE_QUEUE("/q");
}
