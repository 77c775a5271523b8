/*
 * A new queue is the effective user's and group's, who may then open and unlink it; but the real
 * user pays for it under RLIMIT_MSGQUEUE.
 */
#include "mq_check.h"

static long try_queue(const char* name) {
  struct mq_attr attr = room_for(5, 4);
  mqd_t mq = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
  return mq < 0 ? mq : mq_close(mq);
}

int main(void) {
  NEED_ROOT();
  uid_t real = 1000000 + getpid(), effective = 10000000 + getpid();
  struct rlimit limit = {5 * (4 + 96), 5 * (4 + 96)};
  CHECK_EQ(setrlimit(RLIMIT_MSGQUEUE, &limit), 0);
  pid_t child = fork_child();
  if (child == 0) {
    struct stat status;
    CHECK_EQ(setresgid(real, effective, effective), 0);
    CHECK_EQ(setresuid(real, effective, effective), 0);
    CHECK_EQ(try_queue("/q"), 0);
    CHECK_EQ(fstat(CHECK_OK(mq_open("/q", O_RDWR)), &status), 0);
    CHECK_EQ(status.st_uid, effective);
    CHECK_EQ(status.st_gid, effective);
    CHECK_ERRNO(try_queue("/other"), EMFILE);
    _exit(0);
  }
  CHECK_CHILD(child);
  child = fork_child();
  if (child == 0) {
    become(real, real, 0);
    CHECK_ERRNO(try_queue("/other"), EMFILE);
    CHECK_ERRNO(mq_open("/q", O_RDWR), EACCES);
    CHECK_ERRNO(mq_unlink("/q"), EACCES);
    _exit(0);
  }
  CHECK_CHILD(child);
  child = fork_child();
  if (child == 0) {
    become(effective, effective, 0);
    CHECK_EQ(try_queue("/other"), 0);
    REMOVE_QUEUE("/other");
    REMOVE_QUEUE("/q");
    _exit(0);
  }
  CHECK_CHILD(child);
}
