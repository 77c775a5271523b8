/*
 * GETPID: whoever last operated on the semaphore, a wait for zero included, or set it; of an array
 * all semaphores that it names and no others; of a sleeper that was let go the sleeper.
 */
#include "sem_check.h"
#include <pthread.h>

static int id;

static void check_pids(pid_t first, pid_t second, pid_t third) {
  CHECK_PID(id, 0, first);
  CHECK_PID(id, 1, second);
  CHECK_PID(id, 2, third);
}

static pid_t child_does(int what) {
  pid_t child = fork_child();
  if (child == 0) {
    unsigned short values[] = {1, 2, 3};
    switch (what) {
      case 0: CHECK_EQ(SEMOP(id, {1, 0, 0}), 0); break;
      case 1: CHECK_EQ(SEMOP(id, {0, 1, 0}, {2, 0, IPC_NOWAIT}), 0); break;
      case 2: SET_VALUE(id, 1, 0); break;
      case 3: CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0); break;
      case 4: CHECK_ERRNO(SEMOP(id, {0, 1, 0}, {1, 0, IPC_NOWAIT}), EAGAIN); break;
      case 5: CHECK_ERRNO(SEMOP(id, {0, 32767, 0}), ERANGE); break;
      case 6: CHECK_ERRNO(setval(id, 1, -1), ERANGE); break;
      case 7: set_mode(id, 0644); break;
      case 8: CHECK_VALUE(id, 0, 1); break;
    }
    _exit(0);
  }
  CHECK_CHILD(child);
  return child;
}

static void* thread_posts(void* unused) {
  CHECK(gettid() != getpid());
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  return unused;
}

int main(void) {
  id = new_set(3);
  check_pids(0, 0, 0);
  pid_t zero = child_does(0);
  check_pids(0, zero, 0);
  pid_t array = child_does(1);
  check_pids(array, zero, array);
  pid_t set = child_does(2);
  check_pids(array, set, array);
  pid_t all = child_does(3);
  check_pids(all, all, all);
  for (int what = 4; what < 9; what++) {
    child_does(what);
    check_pids(all, all, all);
  }

  /* Process ids, not thread ids. */
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, NULL, thread_posts, NULL), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  check_pids(getpid(), all, all);

  /* The poster's where it posted, the sleeper's where the sleeper operated. */
  pid_t sleeper = FORK_SEMOP(id, 0, {1, -5, 0}, {2, 1, 0});
  check_pids(getpid(), all, all);
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {1, 3, 0}), 0);
  check_pids(getpid(), sleeper, sleeper);
  CHECK_CHILD(sleeper);
  sleeper = FORK_SEMOP(id, 0, {0, 0, 0});
  SET_VALUE(id, 0, 0);
  CHECK_CHILD(sleeper);
  CHECK_PID(id, 0, sleeper);
  REMOVE_SET(id);
}
