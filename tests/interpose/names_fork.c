/*
 * A child that was forked while threads of its parent opened and closed semaphores can do so as
 * well. (With glibc's own it may wait for ever for a lock that a thread held which it does not
 * have.)
 */
#include "named_check.h"
#include <pthread.h>

static int stop;

static void* open_and_close(void* name) {
  while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
    sem_t* sem = CHECK_SEM(sem_open(name, O_CREAT, 0600, 1));
    sem_t* again = CHECK_SEM(sem_open(name, 0));
    CHECK(sem == again);
    CLOSE_SEM(sem);
    CLOSE_SEM(again);
  }
  return NULL;
}

int main(void) {
  sem_t* sem = NEW_SEM("/s", 1);
  char names[3][8] = {"/a", "/b", "/a"};
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    CHECK_EQ(pthread_create(&threads[i], NULL, open_and_close, names[i]), 0);
  for (int i = 0; i < 50; i++) {
    pid_t child = fork_child();
    if (child == 0) {
      sem_t* own = CHECK_SEM(sem_open("/own", O_CREAT, 0600, 1));
      CHECK(own != sem);
      CHECK(CHECK_SEM(sem_open("/s", 0)) == sem);
      CLOSE_SEM(own);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
  CLOSE_SEM(sem);
  CHECK(!is_mapped(sem));
}
