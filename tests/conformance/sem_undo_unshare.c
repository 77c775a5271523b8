/*
 * unshare(CLONE_SYSVSEM) is like an end for the adjustments: a lone thread's are applied at once,
 * one of several threads leaves the common ones behind and starts its own, which are applied when
 * it ends. A new IPC namespace does the same.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;

static void* leaves(void* unused) {
  CHECK_EQ(SEMOP(id, {0, -2, SEM_UNDO}), 0);
  CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
  CHECK_VALUE(id, 0, 7);
  CHECK_EQ(SEMOP(id, {0, -4, SEM_UNDO}), 0);
  CHECK_VALUE(id, 0, 3);
  return unused;
}

int main(void) {
  id = new_set(1);
  SET_VALUE(id, 0, 10);

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
    pid_t other = fork_child();
    if (other == 0) {
      CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
      _exit(0);
    }
    CHECK_CHILD(other);
    CHECK_PID(id, 0, other);
    CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
    CHECK_VALUE(id, 0, 9);
    CHECK_PID(id, 0, getpid());
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);

    /* With several threads. */
    pthread_t thread;
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    CHECK_EQ(pthread_create(&thread, NULL, leaves, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    /* The join returns a little before the thread has ended. */
    while (semctl(id, 0, GETVAL) == 3) sleep_ms(1);
    CHECK_VALUE(id, 0, 7);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 10);

  int* stage = shared_memory(sizeof *stage);
  child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
    if (unshare(CLONE_NEWIPC) != 0) SKIP("needs the right to unshare the IPC namespace");
    announce(stage, 1);
    pause();
  }
  while (__atomic_load_n(stage, __ATOMIC_SEQ_CST) == 0)
    if (task_state(child) == 'Z')
      CHECK_CHILD(child);
    else
      sleep_ms(1);
  CHECK_VALUE(id, 0, 10);
  CHECK_PID(id, 0, child);
  KILL_CHILD(child);
  REMOVE_SET(id);
}
