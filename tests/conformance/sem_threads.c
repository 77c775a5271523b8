/*
 * Threads and processes on one set lose and invent nothing: a mutex of one semaphore, moved tokens,
 * and calls of several operations that keep a sum.
 */
#include "sem_check.h"
#include <pthread.h>

enum { THREADS = 3, PROCESSES = 2, ROUNDS = 500, TOKENS = 4 };

static int id;
static int* shared;

static void* work(void* number) {
  for (int i = 0; i < ROUNDS; i++) {
    int from = (i + (long)number) % 3, to = (from + 1) % 3;
    CHECK_EQ(SEMOP(id, {3, -1, SEM_UNDO}), 0);
    shared[0]++;
    CHECK_EQ(__atomic_add_fetch(&shared[1], 1, __ATOMIC_SEQ_CST), 1);
    CHECK_EQ(__atomic_sub_fetch(&shared[1], 1, __ATOMIC_SEQ_CST), 0);
    CHECK_EQ(SEMOP(id, {3, 1, SEM_UNDO}), 0);

    /* A token from one to the next, and one back through the third. */
    unsigned short values[4];
    struct timespec soon = {0, 500000};
    int moved = semtimedop(id, OPS({from, -1, 0}, {to, 1, 0}), &soon);
    CHECK(moved == 0 || errno == EAGAIN);
    CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = values}), 0);
    CHECK_EQ(values[0] + values[1] + values[2], TOKENS);
  }
  return NULL;
}

int main(void) {
  id = new_set(4);
  shared = shared_memory(2 * sizeof *shared);
  CHECK_EQ(SEMOP(id, {0, TOKENS, 0}, {3, 1, 0}), 0);
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork_child();
    if (children[i] == 0) {
      pthread_t threads[THREADS];
      for (long n = 0; n < THREADS; n++)
        CHECK_EQ(pthread_create(&threads[n], NULL, work, (void*)(n + i)), 0);
      for (int n = 0; n < THREADS; n++) CHECK_EQ(pthread_join(threads[n], NULL), 0);
      _exit(0);
    }
  }
  for (int i = 0; i < PROCESSES; i++) CHECK_CHILD(children[i]);
  CHECK_EQ(shared[0], THREADS * PROCESSES * ROUNDS);
  CHECK_VALUE(id, 3, 1);
  for (int i = 0; i < 4; i++) CHECK_COUNTS(id, i, 0, 0);
  REMOVE_SET(id);
}
