/*
 * A fault of the program's own ends it where SIGSEGV is blocked, ignored, in its own handler, or
 * has none, as does one that is sent to it; EFAULT before does not change that.
 */
#include "sig_check.h"

static struct sig_objects all;

static void leave(int number) { _exit(number); }
static void fault_again(int number) {
  (void)number;
  sig_bad_pointers(&all);
  set_handler(SIGSEGV, leave, 0);
  touch_nothing();
}

static void while_blocked(void) {
  set_handler(SIGSEGV, leave, 0);
  set_mask(SIG_BLOCK, SIGSEGV);
  sig_bad_pointers(&all);
  touch_nothing();
}
static void while_unblocked(void) {
  set_handler(SIGSEGV, leave, 0);
  set_mask(SIG_BLOCK, SIGSEGV);
  sig_bad_pointers(&all);
  set_mask(SIG_UNBLOCK, SIGSEGV);
  touch_nothing();
}
static void while_ignored(void) {
  signal(SIGSEGV, SIG_IGN);
  sig_bad_pointers(&all);
  kill(getpid(), SIGSEGV);
  sig_bad_pointers(&all);
  touch_nothing();
}
static void by_default(void) {
  sig_bad_pointers(&all);
  touch_nothing();
}
static void by_default_sent(void) {
  sig_bad_pointers(&all);
  kill(getpid(), SIGSEGV);
}
static void in_handler(void) {
  set_handler(SIGSEGV, fault_again, 0);
  touch_nothing();
}
static void in_open_handler(void) {
  set_handler(SIGSEGV, fault_again, SA_NODEFER);
  touch_nothing();
}
static void in_other_handler(void) {
  struct sigaction action = {.sa_handler = fault_again};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGSEGV);
  CHECK_OK(sigaction(SIGUSR1, &action, NULL));
  raise(SIGUSR1);
}
static void on_reset(int number) { (void)number; }
static void once(void) {
  set_handler(SIGSEGV, on_reset, (int)SA_RESETHAND);
  sig_bad_pointers(&all);
  touch_nothing();
}

int main(void) {
  struct rlimit {
    unsigned long soft, hard;
  } none = {0, 0};
  CHECK_OK(syscall(SYS_prlimit64, 0, 4, &none, NULL)); /* no core dumps */
  sig_open(&all);
  CHECK_EQ(end_of_child(while_blocked), -SIGSEGV);
  CHECK_EQ(end_of_child(while_unblocked), SIGSEGV);
  CHECK_EQ(end_of_child(while_ignored), -SIGSEGV);
  CHECK_EQ(end_of_child(by_default), -SIGSEGV);
  CHECK_EQ(end_of_child(by_default_sent), -SIGSEGV);
  CHECK_EQ(end_of_child(in_handler), -SIGSEGV);
  CHECK_EQ(end_of_child(in_open_handler), SIGSEGV);
  CHECK_EQ(end_of_child(in_other_handler), -SIGSEGV);
  CHECK_EQ(end_of_child(once), -SIGSEGV);
  sig_remove(&all);
}
