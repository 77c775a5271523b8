/*
 * unshare(CLONE_SYSVSEM) in unusual places: as a thread's first call, twice, in a child of vfork
 * that shares nothing, and by the last thread where others made the adjustments.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;

static void run_thread(void* (*body)(void*)) {
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, body, NULL), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* The join returns a little before the thread has ended. */
static void await_value(int value) {
  for (int ms = 0; semctl(id, 0, GETVAL) != value && ms < 1000; ms++) sleep_ms(1);
  CHECK_VALUE(id, 0, value);
}

static void* takes(void* unused) {
  CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
  return unused;
}

static void* leaves_and_takes(void* unused) {
  CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
  return takes(unused);
}

static void* leaves_twice(void* unused) {
  leaves_and_takes(unused);
  CHECK_VALUE(id, 0, 9);
  CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
  CHECK_VALUE(id, 0, 10);
  return unused;
}

int main(void) {
  id = new_set(1);
  SET_VALUE(id, 0, 10);

  pid_t child = fork_child();
  if (child == 0) {
    run_thread(leaves_and_takes);
    await_value(10);
    run_thread(leaves_twice);
    CHECK_VALUE(id, 0, 10);
    _exit(0);
  }
  CHECK_CHILD(child);

  child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    pid_t borrower = vfork();
    if (borrower == 0) {
      unshare(CLONE_SYSVSEM);
      _exit(0);
    }
    CHECK_EQ(waitpid(borrower, NULL, 0), borrower);
    CHECK_VALUE(id, 0, 9);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 10);

  child = fork_child();
  if (child == 0) {
    run_thread(takes);
    sleep_ms(20);
    CHECK_VALUE(id, 0, 9);
    CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
    CHECK_VALUE(id, 0, 10);
    _exit(0);
  }
  CHECK_CHILD(child);
  REMOVE_SET(id);
}
