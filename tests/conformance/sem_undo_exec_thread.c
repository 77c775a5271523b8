/*
 * exec by another thread than the main one: the process keeps its adjustments, and its end applies
 * them.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;

static void* takes_and_execs(void* pipe_end) {
  CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
  CHECK_OK(dup2(*(int*)pipe_end, 0));
  execlp("cat", "cat", NULL);
  FAIL("execlp: expected a new image, got %s", strerrorname_np(errno));
  return NULL;
}

int main(void) {
  id = new_set(1);
  SET_VALUE(id, 0, 1);
  int ends[2];
  CHECK_OK(pipe(ends));
  pid_t child = fork_child();
  if (child == 0) {
    pthread_t thread;
    close(ends[1]);
    CHECK_EQ(pthread_create(&thread, NULL, takes_and_execs, &ends[0]), 0);
    pthread_join(thread, NULL);
  }
  while (semctl(id, 0, GETVAL) == 1) sleep_ms(1);
  sleep_ms(50);
  CHECK_VALUE(id, 0, 0);

  pid_t waiter = fork_child();
  if (waiter == 0) {
    close(ends[1]);
    CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(waiter);
  close(ends[1]);
  CHECK_CHILD(child);
  CHECK_CHILD(waiter);
  CHECK_PID(id, 0, waiter);
  REMOVE_SET(id);
}
