/*
 * A timeout with negative seconds, or nanoseconds outside 0..999999999, is EINVAL even where the
 * call need not wait; a null one waits for ever.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(1);
  const struct timespec invalid[] = {{0, 1000000000},        {0, -1},       {-1, 0},
                                     {-1, 999999999},        {5, LONG_MAX}, {5, LONG_MIN},
                                     {LONG_MAX, 1000000000}, {LONG_MIN, 0}};
  for (unsigned i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    CHECK_ERRNO(semtimedop(id, OPS({0, 1, 0}), &invalid[i]), EINVAL);
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &invalid[i]), EINVAL);
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, IPC_NOWAIT}), &invalid[i]), EINVAL);
  }
  CHECK_VALUE(id, 0, 0);

  /* {0, 0} tries once. */
  struct timespec zero = {0, 0}, most = {0, 999999999};
  CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &zero), EAGAIN);
  CHECK_EQ(semtimedop(id, OPS({0, 1, 0}), &zero), 0);
  CHECK_EQ(semtimedop(id, OPS({0, -1, SEM_UNDO}), &zero), 0);
  CHECK_EQ(semtimedop(id, OPS({0, 0, 0}), &most), 0);
  CHECK_EQ(semtimedop(id, OPS({0, 1, 0}), NULL), 0);
  CHECK_EQ(semtimedop(id, OPS({0, -1, 0}), NULL), 0);

  /* The longest there is, and none. The timeout is only read. */
  const struct timespec long_times[] = {
      {LONG_MAX, 999999999}, {LONG_MAX / 1000000000, 0}, {INT_MAX, 0}};
  for (int i = 0; i < 4; i++) {
    pid_t sleeper = fork_child();
    if (sleeper == 0) {
      struct timespec timeout = long_times[i % 3], before = timeout;
      CHECK_EQ(semtimedop(id, OPS({0, -1, 0}), i == 3 ? NULL : &timeout), 0);
      CHECK(timeout.tv_sec == before.tv_sec && timeout.tv_nsec == before.tv_nsec);
      _exit(0);
    }
    PAUSE_UNTIL_BLOCKED(sleeper);
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_CHILD(sleeper);
  }
  REMOVE_SET(id);
}
