/*
 * A thread that was joined has no part in its process's adjustments any more:
 * unshare(CLONE_SYSVSEM) applies them, in the kernel as soon as the thread has left it.
 */
#include "sem_check.h"
#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 1500 };

static void* ends(void* unused) { return unused; }

int main(void) {
  int id = new_set(1);
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    SET_VALUE(id, 0, 0);
    CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
    CHECK_EQ(pthread_create(&thread, NULL, ends, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
    while (semctl(id, 0, GETVAL) != 0) sched_yield();
  }
  REMOVE_SET(id);
}
