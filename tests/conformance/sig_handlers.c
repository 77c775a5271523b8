/*
 * A handler is one however it was set: it interrupts a blocked msgrcv() and semop() with EINTR, may
 * make the same calls itself, and what sigaction() tells of it is what was set.
 */
#include "sig_check.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct kernel_action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static struct sig_objects all;
static volatile int runs;

static void on_signal(int number) {
  struct sig_message message = {9, "handler"};
  struct sembuf up = {1, 1, 0}, down = {1, -1, 0};
  CHECK_EQ(number, SIGUSR1);
  CHECK_EQ(msgsnd(all.queue, &message, 8, 0), 0);
  CHECK_EQ(msgrcv(all.queue, &message, 8, 9, 0), 8);
  CHECK_EQ(semop(all.set, &up, 1), 0);
  CHECK_EQ(semop(all.set, &down, 1), 0);
  runs++;
}

static void by_sigset(void) { CHECK(sigset(SIGUSR1, on_signal) != SIG_ERR); }
static void by_signal(void) { CHECK(signal(SIGUSR1, on_signal) != SIG_ERR); }
static void by_restarting_sigaction(void) { set_handler(SIGUSR1, on_signal, SA_RESTART); }
static void by_sigaction(void) { set_handler(SIGUSR1, on_signal, 0); }
static void by_number(void) {
  struct sigaction with_restorer;
  struct kernel_action old, action = {.handler = on_signal};
  /* The kernel needs libc's way back from a handler. */
  set_handler(SIGUSR2, on_signal, 0);
  CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8));
  CHECK(old.handler == on_signal);
  action.flags = old.flags;
  action.restorer = old.restorer;
  action.mask = 1ul << (SIGSEGV - 1) | 1ul << (SIGUSR2 - 1) | 1ul << (SIGKILL - 1);
  CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
  CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
  CHECK(old.handler == on_signal);
  CHECK_EQ(old.flags, action.flags);
  CHECK(old.restorer == action.restorer);
  CHECK_EQ(old.mask, 1ul << (SIGSEGV - 1) | 1ul << (SIGUSR2 - 1));
  CHECK_OK(sigaction(SIGUSR1, NULL, &with_restorer));
  CHECK(with_restorer.sa_handler == on_signal);
  CHECK(sigismember(&with_restorer.sa_mask, SIGSEGV));
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 16), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, 65, &action, NULL, 8), EINVAL);
}

static void interrupt_once(bool in_semop, void (*set)(void)) {
  pid_t child = fork_child();
  if (child == 0) {
    struct sig_message message;
    struct sembuf down = {0, -1, 0};
    runs = 0;
    set();
    if (in_semop) {
      CHECK_ERRNO(semop(all.set, &down, 1), EINTR);
    } else {
      CHECK_ERRNO(msgrcv(all.queue, &message, sizeof message.text, 1, 0), EINTR);
    }
    CHECK_EQ(runs, 1);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  CHECK_CHILD(child);
}

int main(void) {
  void (*const ways[])(void) = {by_sigset, by_signal, by_restarting_sigaction, by_sigaction,
                                by_number};
  sig_open(&all);
  for (size_t n = 0; n < sizeof ways / sizeof ways[0]; n++) {
    interrupt_once(false, ways[n]);
    interrupt_once(true, ways[n]);
  }
  sig_remove(&all);
}
