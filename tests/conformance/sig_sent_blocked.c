/*
 * A SIGSEGV that somebody sends to who has it blocked stays pending: sigpending(), sigtimedwait()
 * and signalfd() have it, its handler runs when it is unblocked, and bad pointers give EFAULT
 * meanwhile.
 */
#include "sig_check.h"
#include <sys/signalfd.h>

static struct sig_objects all;
static volatile int runs;
static siginfo_t last;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)context;
  (void)number;
  last = *info;
  runs++;
}

static bool is_pending(void) {
  sigset_t set;
  CHECK_OK(sigpending(&set));
  return sigismember(&set, SIGSEGV) == 1;
}

int main(void) {
  const struct timespec no_time = {0, 0};
  siginfo_t info;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sig_open(&all);
  set_info_handler(SIGSEGV, on_signal, 0);
  set_mask(SIG_BLOCK, SIGSEGV);

  /* Unblocked. */
  kill(getpid(), SIGSEGV);
  CHECK(is_pending());
  CHECK(is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  CHECK_EQ(runs, 0);
  set_mask(SIG_UNBLOCK, SIGSEGV);
  CHECK_EQ(runs, 1);
  CHECK_EQ(last.si_code, SI_USER);
  CHECK_EQ(last.si_pid, getpid());
  CHECK(!is_blocked(SIGSEGV));
  sig_bad_pointers(&all);

  /* Waited for. */
  set_mask(SIG_BLOCK, SIGSEGV);
  raise(SIGSEGV);
  sig_bad_pointers(&all);
  CHECK_EQ(sigtimedwait(&set, &info, &no_time), SIGSEGV);
  CHECK_EQ(info.si_code, SI_USER); /* glibc has made it of SI_TKILL */
  CHECK(!is_pending());
  CHECK_EQ(runs, 1);
  sigqueue(getpid(), SIGSEGV, (union sigval){.sival_int = 77});
  CHECK_EQ(sigwaitinfo(&set, &info), SIGSEGV);
  CHECK_EQ(info.si_code, SI_QUEUE);
  CHECK_EQ(info.si_value.sival_int, 77);
  sig_bad_pointers(&all);

  /* Read. */
  struct signalfd_siginfo line;
  int fd = CHECK_OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  CHECK_ERRNO(read(fd, &line, sizeof line), EAGAIN);
  sigqueue(getpid(), SIGSEGV, (union sigval){.sival_int = 78});
  CHECK_EQ(read(fd, &line, sizeof line), sizeof line);
  CHECK_EQ(line.ssi_signo, SIGSEGV);
  CHECK_EQ(line.ssi_int, 78);
  CHECK(!is_pending());
  close(fd);

  /* Ignored while it is pending. */
  raise(SIGSEGV);
  CHECK(is_pending());
  signal(SIGSEGV, SIG_IGN);
  CHECK(!is_pending());
  set_info_handler(SIGSEGV, on_signal, 0);
  set_mask(SIG_UNBLOCK, SIGSEGV);
  CHECK_EQ(runs, 1);
  set_mask(SIG_BLOCK, SIGSEGV);
  raise(SIGSEGV);
  sigset_t none;
  sigemptyset(&none);
  CHECK_ERRNO(sigsuspend(&none), EINTR);
  CHECK_EQ(runs, 2);
  CHECK(is_blocked(SIGSEGV));
  sig_bad_pointers(&all);
  set_mask(SIG_UNBLOCK, SIGSEGV);
  CHECK_EQ(runs, 2);
  sig_remove(&all);
}
