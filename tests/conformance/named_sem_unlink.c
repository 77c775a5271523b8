/*
 * sem_unlink() takes the name away at once: ENOENT from then on, or a new semaphore at another
 * address. Who has the old one open, or sleeps on it, goes on with it.
 */
#include "named_check.h"

int main(void) {
  CHECK_ERRNO(sem_unlink("/s"), ENOENT);
  sem_t* old = NEW_SEM("/s", 0);
  pid_t sleeper = fork_child();
  if (sleeper == 0) {
    CHECK_EQ(sem_wait(old), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleeper);
  REMOVE_SEM("/s");
  CHECK_ERRNO(sem_unlink("/s"), ENOENT);
  CHECK_NO_SEM(sem_open("/s", 0), ENOENT);

  sem_t* new = NEW_SEM("/s", 3);
  CHECK(new != old);
  CHECK_VALUE(new, 3);
  CHECK_EQ(sem_post(new), 0);
  PAUSE_UNTIL_BLOCKED(sleeper);
  CHECK_VALUE(old, 0);
  CHECK_EQ(sem_post(old), 0);
  CHECK_CHILD(sleeper);

  /* Closing the one is not closing the other. */
  CLOSE_SEM(old);
  CHECK_VALUE(new, 4);
  CHECK(CHECK_SEM(sem_open("/s", 0)) == new);
  REMOVE_SEM("/s");
}
