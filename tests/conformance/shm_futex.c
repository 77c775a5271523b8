/*
 * Futexes in a segment are the same for all who have it attached, wherever: a process-shared mutex
 * excludes, a semaphore wakes, and a robust mutex is EOWNERDEAD to the next when its holder is
 * killed.
 */
#include "shm_check.h"
#include <pthread.h>
#include <semaphore.h>

enum { PROCESSES = 3, ROUNDS = 2000 };

struct shared {
  pthread_mutex_t mutex;
  sem_t ready, go;
  long count;
};

static struct shared* attach_elsewhere(int id, int number) {
  mmap(NULL, pages(1 + number), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return (struct shared*)ATTACH(id);
}

int main(void) {
  int id = new_segment(sizeof(struct shared));
  struct shared* shared = (struct shared*)ATTACH(id);
  pthread_mutexattr_t attributes;
  CHECK_EQ(pthread_mutexattr_init(&attributes), 0);
  CHECK_EQ(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
  CHECK_EQ(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST), 0);
  CHECK_EQ(pthread_mutex_init(&shared->mutex, &attributes), 0);
  CHECK_EQ(sem_init(&shared->ready, 1, 0), 0);
  CHECK_EQ(sem_init(&shared->go, 1, 0), 0);

  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork_child();
    if (children[i] == 0) {
      DETACH(shared);
      shared = attach_elsewhere(id, i);
      CHECK_EQ(sem_post(&shared->ready), 0);
      CHECK_EQ(sem_wait(&shared->go), 0);
      for (int n = 0; n < ROUNDS; n++) {
        CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
        shared->count++;
        CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
      }
      _exit(0);
    }
  }
  for (int i = 0; i < PROCESSES; i++) CHECK_EQ(sem_wait(&shared->ready), 0);
  for (int i = 0; i < PROCESSES; i++) CHECK_EQ(sem_post(&shared->go), 0);
  for (int i = 0; i < PROCESSES; i++) CHECK_CHILD(children[i]);
  CHECK_EQ(shared->count, PROCESSES * ROUNDS);

  pid_t holder = fork_child();
  if (holder == 0) {
    shared = attach_elsewhere(id, 0);
    CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
    CHECK_EQ(sem_post(&shared->ready), 0);
    for (;;) pause();
  }
  CHECK_EQ(sem_wait(&shared->ready), 0);
  pid_t next = fork_child();
  if (next == 0) {
    CHECK_EQ(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&shared->mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(next);
  KILL_CHILD(holder);
  CHECK_CHILD(next);
  DETACH(shared);
  REMOVE_SEGMENT(id);
}
