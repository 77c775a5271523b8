/*
 * Processes cloned with CLONE_SYSVSEM share their adjustments, though they share nothing else: the
 * end of the last applies them, with its pid.
 */
#include "sem_check.h"
#include <sys/syscall.h>

/* The child has no memory in common with its parent. */
static pid_t clone_sharing(void) {
  pid_t pid = CHECK_OK(syscall(SYS_clone, CLONE_SYSVSEM | SIGCHLD, NULL, NULL, NULL, NULL));
  if (pid == 0) {
    memset(check_children, 0, sizeof check_children);
    start_watchdog();
  }
  return pid;
}

int main(void) {
#if !defined SYS_clone || defined __sparc__
  SKIP("no clone system call to make by hand");
#endif
  int id = new_set(1);
  int* stage = shared_memory(2 * sizeof *stage);
  SET_VALUE(id, 0, 10);

  pid_t parent = fork_child();
  if (parent == 0) {
    pid_t child = clone_sharing();
    if (child == 0) {
      CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_VALUE(id, 0, 7);
    CHECK_PID(id, 0, child);

    /* The parent gives back what its child took: nothing is left to undo. */
    CHECK_EQ(SEMOP(id, {0, 2, SEM_UNDO}), 0);
    if (clone_sharing() == 0) {
      await(stage, 1);
      CHECK_VALUE(id, 0, 9);
      CHECK_EQ(SEMOP(id, {0, 4, SEM_UNDO}), 0);
      CHECK_PID(id, 0, getpid());
      announce(stage, 2);
      await(stage, 3);
      stage[1] = getpid();
      _exit(0);
    }
    _exit(0);
  }
  await_zombie(parent);
  CHECK_VALUE(id, 0, 9);
  announce(stage, 1);
  await(stage, 2);
  CHECK_VALUE(id, 0, 13);
  announce(stage, 3);
  while (semctl(id, 0, GETVAL) == 13) sleep_ms(1);
  CHECK_VALUE(id, 0, 10);
  CHECK_PID(id, 0, stage[1]);
  CHECK_CHILD(parent);

  /* One that forks without the flag is apart again. */
  parent = fork_child();
  if (parent == 0) {
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    pid_t sharing = clone_sharing();
    if (sharing == 0) {
      pid_t apart = fork_child();
      if (apart == 0) {
        CHECK_EQ(SEMOP(id, {0, -5, SEM_UNDO}), 0);
        _exit(0);
      }
      CHECK_CHILD(apart);
      CHECK_VALUE(id, 0, 9);
      CHECK_PID(id, 0, apart);
      _exit(0);
    }
    CHECK_CHILD(sharing);
    CHECK_VALUE(id, 0, 9);
    _exit(0);
  }
  CHECK_CHILD(parent);
  CHECK_VALUE(id, 0, 10);
  CHECK_PID(id, 0, parent);
  REMOVE_SET(id);
}
