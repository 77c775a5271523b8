/*
 * A bad pointer gives EFAULT in a thread that has all signals blocked, in those that it starts and
 * in its children, whichever call blocked them, and however the thread got its mask.
 */
#include "sig_check.h"

static struct sig_objects all;

static void* thread(void* unused) {
  CHECK(is_blocked(SIGSEGV));
  CHECK(is_blocked(SIGBUS));
  sig_bad_pointers(&all);
  return unused;
}

static void in_thread(const pthread_attr_t* attributes) {
  pthread_t id;
  CHECK_EQ(pthread_create(&id, attributes, thread, NULL), 0);
  CHECK_EQ(pthread_join(id, NULL), 0);
}

static void everywhere(void) {
  CHECK(is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  in_thread(NULL);
  pid_t child = fork_child();
  if (child == 0) {
    sig_bad_pointers(&all);
    in_thread(NULL);
    CHECK(is_blocked(SIGSEGV));
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(void) {
  sigset_t full, none;
  sigfillset(&full);
  sigemptyset(&none);
  /* From before the first IPC call. */
  CHECK_OK(sigprocmask(SIG_SETMASK, &full, NULL));
  sig_open(&all);
  everywhere();
  CHECK_OK(sigprocmask(SIG_SETMASK, &none, NULL));
  CHECK(!is_blocked(SIGSEGV));

  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &full, NULL), 0);
  everywhere();
  CHECK_OK(sigprocmask(SIG_UNBLOCK, &full, NULL));
  CHECK(!is_blocked(SIGBUS));

  CHECK_OK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &full, NULL, 8));
  everywhere();
  CHECK_OK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8));
  CHECK(!is_blocked(SIGSEGV));

  pthread_attr_t attributes;
  CHECK_EQ(pthread_attr_init(&attributes), 0);
  CHECK_EQ(pthread_attr_setsigmask_np(&attributes, &full), 0);
  in_thread(&attributes);
  CHECK(!is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  sig_remove(&all);
}
