/*
 * A bad pointer gives EFAULT in handlers with a full mask, in one of SIGSEGV, on an alternate
 * stack, and after each has been left by siglongjmp().
 */
#include "sig_check.h"

static struct sig_objects all;
static sigjmp_buf escape;
static volatile int runs;
static volatile bool jumps;

static void on_signal(int number) {
  CHECK(is_blocked(SIGSEGV));
  CHECK(is_blocked(number));
  sig_bad_pointers(&all);
  runs++;
  if (jumps) siglongjmp(escape, 1);
  /* Of a fault, which would come again. */
  if (number == SIGSEGV) siglongjmp(escape, 1);
}

static void run(int number, int flags, bool is_fault) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigfillset(&action.sa_mask);
  CHECK_OK(sigaction(number, &action, NULL));
  runs = 0;
  for (int n = 1; n <= 3; n++) {
    if (sigsetjmp(escape, 1) == 0) {
      if (is_fault) {
        touch_nothing();
      } else {
        raise(number);
      }
    }
    CHECK_EQ(runs, n);
    CHECK(!is_blocked(SIGSEGV));
    CHECK(!is_blocked(number));
    sig_bad_pointers(&all);
  }
}

int main(void) {
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigset_t set;
  CHECK_OK(sigaltstack(&stack, NULL));
  /* Set before there is a cell. */
  struct sigaction early = {.sa_handler = on_signal};
  sigfillset(&early.sa_mask);
  CHECK_OK(sigaction(SIGUSR2, &early, NULL));
  sig_open(&all);
  raise(SIGUSR2);
  CHECK_EQ(runs, 1);
  CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
  CHECK(!sigismember(&set, SIGSEGV));
  for (int round = 0; round < 2; round++) {
    jumps = round == 1;
    run(SIGUSR1, 0, false);
    run(SIGUSR1, SA_ONSTACK, false);
    run(SIGSEGV, 0, true);
    run(SIGSEGV, SA_ONSTACK, true);
    run(SIGSEGV, SA_ONSTACK, false);
    run(SIGBUS, 0, false);
  }
  sig_remove(&all);
}
