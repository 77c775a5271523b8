/*
 * The timeout is relative, never over too early, and EAGAIN; a sleeper whose turn comes before it
 * is served; one whose time is over has left the line with nothing done.
 */
#include "sem_check.h"

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

int main(void) {
  int id = new_set(2);
  SET_VALUE(id, 1, 1);
  const long long waits[] = {1, 1000, 50000, 1000000, 20000000, 60000000};
  for (unsigned i = 0; i < sizeof waits / sizeof *waits; i++) {
    struct timespec timeout = {0, waits[i]};
    long long start = now_ns();
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, SEM_UNDO}), &timeout), EAGAIN);
    CHECK(now_ns() - start >= waits[i]);
    CHECK_EQ(timeout.tv_nsec, waits[i]);
    start = now_ns();
    CHECK_ERRNO(semtimedop(id, OPS({0, 3, 0}, {1, 0, 0}), &timeout), EAGAIN);
    CHECK(now_ns() - start >= waits[i]);
    CHECK(now_ns() - start < 5000000000);
  }
  CHECK_VALUE(id, 0, 0);
  CHECK_PID(id, 0, 0);

  pid_t short_sleeper = fork_child();
  if (short_sleeper == 0) {
    struct timespec timeout = {0, 20000000};
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &timeout), EAGAIN);
    _exit(0);
  }
  pid_t long_sleeper = fork_child();
  if (long_sleeper == 0) {
    struct timespec timeout = {15, 0};
    CHECK_EQ(semtimedop(id, OPS({0, -1, 0}), &timeout), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(long_sleeper);
  await_zombie(short_sleeper);
  CHECK_COUNTS(id, 0, 1, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_PID(id, 0, long_sleeper);
  CHECK_CHILD(long_sleeper);
  CHECK_CHILD(short_sleeper);

  /* A sleeper that is looked at but not served keeps its time. */
  pid_t poster = fork_child();
  if (poster == 0) {
    for (int i = 0; i < 20; i++) {
      sleep_ms(1);
      CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    }
    _exit(0);
  }
  struct timespec timeout = {0, 60000000};
  long long start = now_ns();
  CHECK_ERRNO(semtimedop(id, OPS({0, -21, 0}), &timeout), EAGAIN);
  CHECK(now_ns() - start >= 60000000);
  CHECK_CHILD(poster);
  CHECK_VALUE(id, 0, 20);
  REMOVE_SET(id);
}
