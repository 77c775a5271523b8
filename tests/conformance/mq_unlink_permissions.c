/*
 * The folder of all queues is root's and sticky, open to all: a queue is unlinked by its owner, or
 * by root, whatever its mode; for others the system call is EPERM, which libc turns into EACCES.
 */
#include "mq_check.h"
#include <sys/syscall.h>

enum { OWNER = 32009, STRANGER = 32010, GROUP = 42009 };

static pid_t as(uid_t uid) {
  pid_t child = fork_child();
  if (child == 0) become(uid, GROUP, 0);
  return child;
}

int main(void) {
  NEED_ROOT();
  struct mq_attr attr = room_for(1, 1);
  umask(0);
  pid_t child = as(OWNER);
  if (child == 0) {
    CLOSE_QUEUE(CHECK_OK(mq_open("/open", O_CREAT | O_RDWR, 0777, &attr)));
    CLOSE_QUEUE(CHECK_OK(mq_open("/closed", O_CREAT | O_RDWR, 0, &attr)));
    CLOSE_QUEUE(CHECK_OK(mq_open("/given", O_CREAT | O_RDWR, 0777, &attr)));
    CLOSE_QUEUE(CHECK_OK(mq_open("/last", O_CREAT | O_RDWR, 0, &attr)));
    _exit(0);
  }
  CHECK_CHILD(child);
  mqd_t given = CHECK_OK(mq_open("/given", O_RDWR));
  CHECK_EQ(fchown(given, STRANGER, -1), 0);

  child = as(STRANGER);
  if (child == 0) {
    CHECK_ERRNO(mq_unlink("/open"), EACCES);
    CHECK_ERRNO(syscall(SYS_mq_unlink, "open"), EPERM);
    CHECK_ERRNO(mq_unlink("/closed"), EACCES);
    CHECK_ERRNO(mq_unlink("/none"), ENOENT);
    _exit(0);
  }
  CHECK_CHILD(child);
  child = as(OWNER);
  if (child == 0) {
    CHECK_ERRNO(mq_unlink("/given"), EACCES);
    REMOVE_QUEUE("/open");
    REMOVE_QUEUE("/closed");
    _exit(0);
  }
  CHECK_CHILD(child);
  child = as(STRANGER);
  if (child == 0) {
    REMOVE_QUEUE("/given");
    _exit(0);
  }
  CHECK_CHILD(child);
  REMOVE_QUEUE("/last");
}
