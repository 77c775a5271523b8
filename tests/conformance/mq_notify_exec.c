/*
 * exec closes the descriptors, and so ends the registration. One whose descriptors all stay open
 * over exec stays, but the new program gets no signal; the first message frees the place, or the
 * new program when it closes one.
 */
#include "mq_check.h"

int main(int argc, char** argv) {
  if (argc == 2) {
    mqd_t kept = atoi(argv[1]);
    mqd_t mq = kept >= 0 ? kept : (mqd_t)CHECK_OK(mq_open("/q", O_RDWR));
    if (kept < 0) {
      CHECK_STATUS(mq, 0, 0, 0, 0);
      return 0;
    }
    CHECK_STATUS(mq, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
    CHECK_ERRNO(notify_by_signal(mq, SIGUSR1), EBUSY);
    CHECK_SEND(mq, 0, "x");
    CHECK_NO_SIGNAL(SIGUSR1);
    CHECK_STATUS(mq, 1, 0, 0, 0);
    CHECK_RECEIVE(mq, 0, "x");
    CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
    CHECK_SEND(mq, 0, "x");
    CHECK_SIGNAL(SIGUSR1);
    CHECK_RECEIVE(mq, 0, "x");
    return 0;
  }
  if (argc == 3) {
    mqd_t other = atoi(argv[2]);
    CHECK_STATUS(other, 0, SIGEV_SIGNAL, SIGUSR1, getpid());
    CHECK_EQ(close(atoi(argv[1])), 0);
    CHECK_STATUS(other, 0, 0, 0, 0);
    return 0;
  }
  mqd_t mq = NEW_QUEUE("/q", 1, 8);
  block_signal(SIGUSR1);
  for (int keep = 0; keep < 2; keep++) {
    pid_t child = fork_child();
    if (child == 0) {
      char number[16];
      CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
      if (keep) CHECK_EQ(fcntl(mq, F_SETFD, 0), 0);
      snprintf(number, sizeof number, "%d", keep ? mq : -1);
      execl("/proc/self/exe", argv[0], number, (char*)NULL);
      FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
    }
    CHECK_CHILD(child);
    CHECK_STATUS(mq, 0, 0, 0, 0);
  }
  pid_t child = fork_child();
  if (child == 0) {
    char number[16], other[16];
    CHECK_EQ(notify_by_signal(mq, SIGUSR1), 0);
    CHECK_EQ(fcntl(mq, F_SETFD, 0), 0);
    snprintf(number, sizeof number, "%d", mq);
    snprintf(other, sizeof other, "%d", (int)CHECK_OK(dup(mq)));
    execl("/proc/self/exe", argv[0], number, other, (char*)NULL);
    FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
  }
  CHECK_CHILD(child);
  REMOVE_QUEUE("/q");
}
