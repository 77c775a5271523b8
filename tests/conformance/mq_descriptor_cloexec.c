/*
 * A descriptor is always close-on-exec, whatever flags are given. exec closes it; one whose
 * FD_CLOEXEC was cleared is a queue in the new program too, and so is a copy by dup(2).
 */
#include "mq_check.h"

int main(int argc, char** argv) {
  if (argc == 4) {
    mqd_t closed = atoi(argv[1]), kept = atoi(argv[2]), copy = atoi(argv[3]);
    CHECK_ERRNO(mq_getattr(closed, &(struct mq_attr){0}), EBADF);
    CHECK_RECEIVE(kept, 5, "before");
    CHECK_SEND(copy, 6, "after");
    return 0;
  }
  mqd_t mq = NEW_QUEUE("/q", 2, 8);
  mqd_t kept = CHECK_OK(mq_open("/q", O_RDWR));
  mqd_t marked = CHECK_OK(mq_open("/q", O_RDWR | O_CLOEXEC));
  CHECK_EQ(fcntl(mq, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(kept, F_GETFD), FD_CLOEXEC);
  CHECK_EQ(fcntl(marked, F_GETFD), FD_CLOEXEC);
  int copy = CHECK_OK(dup(mq));
  CHECK_EQ(fcntl(copy, F_GETFD), 0);
  CHECK_SEND(mq, 5, "before");
  pid_t child = fork_child();
  if (child == 0) {
    char numbers[3][16];
    CHECK_EQ(fcntl(kept, F_SETFD, 0), 0);
    snprintf(numbers[0], 16, "%d", mq);
    snprintf(numbers[1], 16, "%d", kept);
    snprintf(numbers[2], 16, "%d", copy);
    execl("/proc/self/exe", argv[0], numbers[0], numbers[1], numbers[2], (char*)NULL);
    FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
  }
  CHECK_CHILD(child);
  CHECK_RECEIVE(mq, 6, "after");
  REMOVE_QUEUE("/q");
}
