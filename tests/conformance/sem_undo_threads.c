/*
 * Threads share one set of adjustments: none is applied when a thread ends, nor when the main one
 * does, which leaves a zombie, but when the last one has gone.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;
static int* stage;

static void* takes(void* unused) {
  CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
  CHECK_PID(id, 0, getpid());
  return unused;
}

static void* gives_back(void* unused) {
  CHECK_EQ(SEMOP(id, {0, 1, SEM_UNDO}), 0);
  return unused;
}

static void* survives_main(void* unused) {
  (void)unused;
  await(stage, 2);
  CHECK_EQ(SEMOP(id, {1, 7, SEM_UNDO}), 0);
  announce(stage, 3);
  await(stage, 4);
  _exit(0);
}

int main(void) {
  id = new_set(2);
  stage = shared_memory(sizeof *stage);
  SET_VALUE(id, 0, 5);
  pid_t child = fork_child();
  if (child == 0) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, takes, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_VALUE(id, 0, 2);
    CHECK_EQ(pthread_create(&thread, NULL, gives_back, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_VALUE(id, 0, 3);
    CHECK_EQ(pthread_create(&thread, NULL, survives_main, NULL), 0);
    announce(stage, 1);
    pthread_exit(NULL);
  }
  await(stage, 1);
  while (task_state(child) != 'Z') sleep_ms(1);
  sleep_ms(5);
  CHECK_VALUE(id, 0, 3);
  announce(stage, 2);
  await(stage, 3);
  CHECK_VALUE(id, 0, 3);
  CHECK_VALUE(id, 1, 7);
  announce(stage, 4);
  await_zombie(child);
  CHECK_VALUE(id, 0, 5);
  CHECK_VALUE(id, 1, 0);
  CHECK_PID(id, 0, child);
  CHECK_CHILD(child);
  REMOVE_SET(id);
}
