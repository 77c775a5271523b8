/*
 * Programs built with _FORTIFY_SOURCE call __mq_open_2() for an mq_open() of two arguments whose
 * flags are not known at compile time: the same call, which ends the process when O_CREAT is in
 * them.
 */
#include "mq_check.h"

extern mqd_t __mq_open_2(const char* name, int flags);

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t same = CHECK_OK(__mq_open_2("/q", O_RDWR | O_NONBLOCK));
  CHECK_EQ(attributes(same).mq_flags, O_NONBLOCK);
  CHECK_SEND(same, 1, "x");
  CHECK_RECEIVE(mq, 1, "x");
  CHECK_ERRNO(__mq_open_2("/none", O_RDWR), ENOENT);
  CHECK_ERRNO(__mq_open_2("q", O_RDWR), EINVAL);

  int status;
  pid_t child = fork_child();
  if (child == 0) {
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    close(STDERR_FILENO);
    __mq_open_2("/q", O_RDWR | O_CREAT);
    _exit(0);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  forget_child(child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  REMOVE_QUEUE("/q");
}
