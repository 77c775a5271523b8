/*
 * Of many processes, with two threads each, that make the same semaphore at once all get one and
 * the same, with its value; with O_EXCL one of them does.
 */
#include "named_check.h"
#include <pthread.h>

enum { PROCESSES = 6, THREADS = 2, ROUNDS = 40 };

static struct { int start[ROUNDS], made[ROUNDS], done[ROUNDS]; } * shared;

static void wait_for_all(int* word, int count) {
  __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) < count) sched_yield();
}

static void* take_part(void* unused) {
  for (int round = 0; round < ROUNDS; round++) {
    char name[32], only[32];
    snprintf(name, sizeof name, "/race-%d", round);
    snprintf(only, sizeof only, "/only-%d", round);
    wait_for_all(&shared->start[round], PROCESSES * THREADS);
    sem_t* sem = CHECK_SEM(sem_open(name, O_CREAT, 0600, 1000));
    CHECK_EQ(sem_wait(sem), 0);
    sem_t* mine = sem_open(only, O_CREAT | O_EXCL, 0600, 5);
    if (mine == SEM_FAILED) CHECK(errno == EEXIST);
    if (mine != SEM_FAILED) __atomic_add_fetch(&shared->made[round], 1, __ATOMIC_SEQ_CST);
    wait_for_all(&shared->done[round], PROCESSES * THREADS);
    CHECK(sem_open(name, O_CREAT, 0600, 7) == sem);
    CHECK_VALUE(sem, 1000 - PROCESSES * THREADS);
    CHECK_VALUE(CHECK_SEM(sem_open(only, 0)), 5);
  }
  return unused;
}

int main(void) {
  shared = shared_memory(sizeof *shared);
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork_child();
    if (children[i] != 0) continue;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, take_part, NULL), 0);
    take_part(NULL);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    _exit(0);
  }
  for (int i = 0; i < PROCESSES; i++) CHECK_CHILD(children[i]);
  for (int i = 0; i < ROUNDS; i++) CHECK_EQ(shared->made[i], 1);
}
