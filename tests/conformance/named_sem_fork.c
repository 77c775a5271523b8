/*
 * A forked child has its parent's semaphores open, as often, at the same address; what the one
 * closes the other has still.
 */
#include "named_check.h"

int main(void) {
  sem_t* sem = NEW_SEM("/s", 1);
  CHECK(CHECK_SEM(sem_open("/s", 0)) == sem);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK(CHECK_SEM(sem_open("/s", 0)) == sem);
    CHECK_EQ(sem_post(sem), 0);
    for (int i = 0; i < 3; i++) CLOSE_SEM(sem);
    CHECK(!is_mapped(sem));
    CHECK_ERRNO(sem_close(sem), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_VALUE(sem, 2);
  CLOSE_SEM(sem);
  CHECK_VALUE(sem, 2);
  CLOSE_SEM(sem);
  CHECK(!is_mapped(sem));
}
