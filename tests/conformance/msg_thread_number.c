/* A process that has the number of another one's dead thread makes calls. */
#include "check.h"
#include <linux/sched.h>
#include <pthread.h>
#include <sys/msg.h>
#include <sys/syscall.h>

static pid_t number;

static void* calls(void* unused) {
  number = gettid();
  CHECK_OK(msgget(7, IPC_CREAT | 0600));
  return unused;
}

int main(void) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, calls, NULL), 0);
  pthread_join(thread, NULL);
  struct clone_args arguments = {
      .exit_signal = SIGCHLD, .set_tid = (unsigned long)&number, .set_tid_size = 1};
  long child;
  do {
    child = syscall(SYS_clone3, &arguments, sizeof arguments);
  } while (child < 0 && errno == EEXIST); /* joined a little before its number is free */
  if (child < 0) SKIP("needs clone3 to choose a number (%s)", strerrorname_np(errno));
  if (child == 0) {
    CHECK_OK(msgget(7, 0));
    _exit(0);
  }
  int status = 0;
  CHECK_EQ(waitpid((pid_t)child, &status, 0), child);
  CHECK_EQ(status, 0);
  CHECK_EQ(msgctl(msgget(7, 0), IPC_RMID, NULL), 0);
  return 0;
}
