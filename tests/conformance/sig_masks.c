/*
 * The mask is what the program has set, SIGSEGV in it too: by each call that sets one, in a
 * handler's context, over sigsetjmp() and siglongjmp(), over exec and posix_spawn().
 */
#include "sig_check.h"
#include <spawn.h>
#include <ucontext.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static struct sig_objects all;
static volatile bool shown, puts_in, takes_out;
static volatile int runs;

static void on_signal(int number, siginfo_t* info, void* context) {
  ucontext_t* frame = context;
  (void)number;
  (void)info;
  shown = sigismember(&frame->uc_sigmask, SIGSEGV) == 1;
  if (puts_in) sigaddset(&frame->uc_sigmask, SIGSEGV);
  if (takes_out) sigdelset(&frame->uc_sigmask, SIGSEGV);
  runs++;
}

static void old_calls(void) {
  CHECK_OK(sighold(SIGSEGV));
  CHECK(is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  CHECK(sigset(SIGSEGV, SIG_HOLD) == SIG_HOLD);
  CHECK_OK(sigrelse(SIGSEGV));
  CHECK(!is_blocked(SIGSEGV));
  CHECK(sigset(SIGSEGV, SIG_HOLD) == SIG_DFL);
  CHECK(is_blocked(SIGSEGV));
  CHECK(sigset(SIGSEGV, SIG_DFL) == SIG_HOLD);
  CHECK(!is_blocked(SIGSEGV));
  int bit = 1 << (SIGSEGV - 1);
  CHECK_EQ(sigblock(bit) & bit, 0);
  CHECK(is_blocked(SIGSEGV));
  CHECK_EQ(sigsetmask(0) & bit, bit);
  CHECK(!is_blocked(SIGSEGV));
  CHECK_OK(sigignore(SIGUSR2));
  CHECK(signal(SIGUSR2, SIG_DFL) == SIG_IGN);
}

static void errors(void) {
  sigset_t set;
  sigemptyset(&set);
  CHECK_ERRNO(sigprocmask(77, &set, NULL), EINVAL);
  CHECK_OK(sigprocmask(77, NULL, &set));
  CHECK_EQ(pthread_sigmask(77, &set, NULL), EINVAL);
  CHECK_ERRNO(sighold(0), EINVAL);
  CHECK_ERRNO(sigrelse(65), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
}

static void in_contexts(void) {
  set_info_handler(SIGUSR1, on_signal, 0);
  raise(SIGUSR1);
  CHECK(!shown);
  puts_in = true;
  raise(SIGUSR1);
  CHECK(!shown);
  CHECK(is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  puts_in = false;
  raise(SIGUSR1);
  CHECK(shown);
  CHECK(is_blocked(SIGSEGV));
  takes_out = true;
  raise(SIGUSR1);
  takes_out = false;
  CHECK(!is_blocked(SIGSEGV));
}

static void over_jumps(void) {
  static sigjmp_buf with, without;
  volatile int round = 0;
  if (sigsetjmp(with, 1) == 0) {
    set_mask(SIG_BLOCK, SIGSEGV);
    siglongjmp(with, 1);
  }
  CHECK(!is_blocked(SIGSEGV));
  if (sigsetjmp(without, 0) == 0) {
    set_mask(SIG_BLOCK, SIGSEGV);
    siglongjmp(without, 1);
  }
  CHECK(is_blocked(SIGSEGV));
  if (sigsetjmp(with, 1) == 0) {
    set_mask(SIG_UNBLOCK, SIGSEGV);
    longjmp(with, 1);
  }
  CHECK(is_blocked(SIGSEGV));
  set_mask(SIG_UNBLOCK, SIGSEGV);
  if (_setjmp(without) == 0) _longjmp(without, 1);
  CHECK(!is_blocked(SIGSEGV));
  sigsetjmp(with, 1);
  if (round++ < 3) {
    set_mask(SIG_BLOCK, SIGSEGV);
    siglongjmp(with, 7);
  }
  CHECK(!is_blocked(SIGSEGV));
}

/* What a program that was started like this one finds. */
static bool inherits(char* self, bool spawns) {
  char* const arguments[] = {self, "inherited", NULL};
  pid_t child = 0;
  int status = 0;
  if (spawns) {
    CHECK_EQ(posix_spawn(&child, self, NULL, NULL, arguments, environ), 0);
  } else {
    child = vfork();
    if (child == 0) {
      execv(self, arguments);
      _exit(9);
    }
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 40 || WEXITSTATUS(status) == 41);
  return WEXITSTATUS(status) == 41;
}

static void vfork_changes(char* self) {
  char* const arguments[] = {self, "inherited", NULL};
  sigset_t set;
  int status = 0;
  sigemptyset(&set);
  set_mask(SIG_BLOCK, SIGSEGV);
  pid_t child = vfork();
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &set, NULL);
    execv(self, arguments);
    _exit(9);
  }
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(WEXITSTATUS(status), 40);
  CHECK(is_blocked(SIGSEGV));
  set_mask(SIG_UNBLOCK, SIGSEGV);
  CHECK(!is_blocked(SIGSEGV));
}

int main(int argc, char** argv) {
  (void)argc;
  if (argv[1] != NULL) return is_blocked(SIGSEGV) ? 41 : 40;
  sig_open(&all);
  old_calls();
  errors();
  in_contexts();
  over_jumps();
  for (int spawns = 0; spawns < 2; spawns++) {
    CHECK(!inherits("/proc/self/exe", spawns));
    set_mask(SIG_BLOCK, SIGSEGV);
    CHECK(inherits("/proc/self/exe", spawns));
    CHECK(is_blocked(SIGSEGV));
    sig_bad_pointers(&all);
    set_mask(SIG_UNBLOCK, SIGSEGV);
  }
  vfork_changes("/proc/self/exe");
  CHECK_ERRNO(execv("/nowhere", argv), ENOENT);
  sig_bad_pointers(&all);
  sig_remove(&all);
}
