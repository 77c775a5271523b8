/*
 * A process may be killed at any point of sem_open(): the name is there with the whole semaphore,
 * or it is not there, and can be made.
 */
#include "named_check.h"
#include <sched.h>

enum { KILLS = 150 };

static _Noreturn void make_many(int* made) {
  for (int i = 0;; i++) {
    char name[32];
    snprintf(name, sizeof name, "/s-%d", i);
    announce(made, i);
    CHECK_VALUE(CHECK_SEM(sem_open(name, O_CREAT, 0600, 77)), 77);
    if (i % 2 == 0) CHECK_OK(sem_unlink(name));
  }
}

int main(void) {
  int* made = shared_memory(sizeof *made);
  for (int round = 0; round < KILLS; round++) {
    announce(made, -1);
    pid_t child = fork_child();
    if (child == 0) make_many(made);
    while (__atomic_load_n(made, __ATOMIC_SEQ_CST) < round % 7) sched_yield();
    for (volatile int spin = 0; spin < round * 37; spin++) continue;
    KILL_CHILD(child);
    int last = *made;
    for (int i = 0; i <= last + 1; i++) {
      char name[32];
      snprintf(name, sizeof name, "/s-%d", i);
      sem_t* sem = sem_open(name, 0);
      if (sem == SEM_FAILED) {
        CHECK(errno == ENOENT);
        CHECK(i >= last || i % 2 == 0);
        sem = NEW_SEM(name, 77);
      }
      CHECK_VALUE(sem, 77);
      CLOSE_SEM(sem);
      REMOVE_SEM(name);
    }
  }
}
