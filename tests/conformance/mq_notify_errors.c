/*
 * What mq_notify() refuses: memory that can't be read (EFAULT from the system call; libc reads it
 * first itself, and dies), another sigev_notify than SIGEV_NONE, SIGEV_SIGNAL and SIGEV_THREAD, a
 * signal number outside 0..64 (EINVAL), then what is no queue (EBADF), and last EBUSY.
 */
#include "mq_check.h"
#include <sys/syscall.h>

int main(void) {
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  const struct sigevent* nowhere = (const struct sigevent*)end_of_memory();
  const int wrong_ways[] = {-1, 3, SIGEV_THREAD_ID, 100};
  const int wrong_signals[] = {-1, 65, 1000, INT_MAX, INT_MIN};
  for (int busy = 0; busy < 2; busy++) {
    CHECK_ERRNO(syscall(SYS_mq_notify, -1, nowhere), EFAULT);
    CHECK_ERRNO(syscall(SYS_mq_notify, mq, nowhere), EFAULT);
    for (int i = 0; i < 4; i++) {
      struct sigevent event = {.sigev_notify = wrong_ways[i], .sigev_signo = SIGUSR1};
      CHECK_ERRNO(mq_notify(mq, &event), EINVAL);
      CHECK_ERRNO(mq_notify(-1, &event), EINVAL);
    }
    for (int i = 0; i < 5; i++) {
      CHECK_ERRNO(notify_by_signal(mq, wrong_signals[i]), EINVAL);
      CHECK_ERRNO(notify_by_signal(-1, wrong_signals[i]), EINVAL);
    }
    CHECK_ERRNO(notify_by_signal(-1, SIGUSR1), EBADF);
    CHECK_ERRNO(notify_by_signal(0, SIGUSR1), EBADF);
    CHECK_ERRNO(mq_notify(-1, NULL), EBADF);
    if (!busy) CHECK_EQ(notify_by_signal(mq, 64), 0);
  }
  CHECK_STATUS(mq, 0, SIGEV_SIGNAL, 64, getpid());
  CHECK_ERRNO(notify_by_signal(mq, 64), EBUSY);
  CHECK_EQ(mq_notify(mq, NULL), 0);
  for (int number = 1; number < 65; number++) {
    CHECK_EQ(notify_by_signal(mq, number), 0);
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, number, getpid());
    CHECK_EQ(mq_notify(mq, NULL), 0);
  }
  REMOVE_QUEUE("/q");
}
