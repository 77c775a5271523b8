/*
 * A process that dies while its own threads sleep on what it holds does not serve them with its
 * adjustments: they are gone before. The next in the line gets it.
 */
#include "sem_check.h"
#include <pthread.h>

enum { THREADS = 3 };

static int id;

static void* sleeps(void* unused) {
  SEMOP(id, {0, -1, 0});
  FAIL("semop: expected to sleep until the process dies");
  return unused;
}

int main(void) {
  id = new_set(1);
  for (int round = 0; round < 5; round++) {
    SET_VALUE(id, 0, 1);
    pid_t holder = fork_child();
    if (holder == 0) {
      CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
      for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, sleeps, NULL), 0);
      }
      for (;;) pause();
    }
    while (semctl(id, 0, GETNCNT) != THREADS) sleep_ms(1);
    pid_t other = round % 2 ? FORK_SEMOP(id, 0, {0, -1, 0}) : 0;
    CHECK_VALUE(id, 0, 0);
    kill_to_zombie(holder);
    CHECK_COUNTS(id, 0, 0, 0);
    CHECK_VALUE(id, 0, other ? 0 : 1);
    CHECK_PID(id, 0, other ? other : holder);
    if (other) CHECK_CHILD(other);
    KILL_CHILD(holder);
  }
  REMOVE_SET(id);
}
