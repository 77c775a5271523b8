/*
 * Calls that wait with a mask of their own, SIGSEGV in it: a handler that runs meanwhile has that
 * mask, meets bad pointers as ever, and the thread has its own mask back afterwards.
 */
#include "sig_check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static struct sig_objects all;
static volatile int runs;
static volatile bool was_blocked;

static void on_signal(int number) {
  (void)number;
  was_blocked = is_blocked(SIGSEGV);
  sig_bad_pointers(&all);
  runs++;
}

static void wait_once(int which, int epoll, const sigset_t* mask) {
  struct epoll_event event;
  const struct timespec long_time = {15, 0};
  runs = 0;
  /* Pending, and let in by the wait's mask. */
  raise(SIGUSR1);
  CHECK_EQ(runs, 0);
  switch (which) {
    case 0: CHECK_ERRNO(sigsuspend(mask), EINTR); break;
    case 1: CHECK_ERRNO(ppoll(NULL, 0, &long_time, mask), EINTR); break;
    case 2: CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &long_time, mask), EINTR); break;
    case 3: CHECK_ERRNO(epoll_pwait(epoll, &event, 1, 15000, mask), EINTR); break;
    case 4: CHECK_ERRNO(epoll_pwait2(epoll, &event, 1, &long_time, mask), EINTR); break;
  }
  CHECK_EQ(runs, 1);
}

int main(void) {
  int epoll = CHECK_OK(epoll_create1(EPOLL_CLOEXEC));
  sigset_t full, none;
  sigfillset(&full);
  sigdelset(&full, SIGUSR1);
  sigdelset(&full, SIGALRM);
  sigemptyset(&none);
  sig_open(&all);
  set_handler(SIGUSR1, on_signal, 0);
  set_mask(SIG_BLOCK, SIGUSR1);
  for (int which = 0; which < 5; which++) {
    wait_once(which, epoll, &full);
    CHECK(was_blocked);
    CHECK(!is_blocked(SIGSEGV));
    set_mask(SIG_BLOCK, SIGSEGV);
    wait_once(which, epoll, &none);
    CHECK(!was_blocked);
    CHECK(is_blocked(SIGSEGV));
    wait_once(which, epoll, &full);
    CHECK(was_blocked);
    CHECK(is_blocked(SIGSEGV));
    sig_bad_pointers(&all);
    set_mask(SIG_UNBLOCK, SIGSEGV);
  }
  /* Without a signal. */
  const struct timespec no_time = {0, 0};
  CHECK_EQ(ppoll(NULL, 0, &no_time, &full), 0);
  CHECK(!is_blocked(SIGSEGV));
  CHECK_ERRNO(ppoll(NULL, 0, &no_time, (sigset_t*)8), EFAULT);
  CHECK_ERRNO(sigsuspend((sigset_t*)8), EFAULT);
  sig_bad_pointers(&all);
  close(epoll);
  sig_remove(&all);
}
