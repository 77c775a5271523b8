/*
 * Processes that open the same name share the semaphore: one that was forked, and one that starts
 * afresh by exec(2). sem_wait() sleeps until another posts, sem_timedwait() until its time has
 * come, and a handler ends both with EINTR.
 */
#include "named_check.h"

static void on_signal(int number) { (void)number; }

static void sleepers(sem_t* sem) {
  pid_t first = fork_child();
  if (first == 0) {
    sem_t* own = CHECK_SEM(sem_open("/s", 0));
    CHECK_EQ(sem_wait(own), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(first);
  CHECK_EQ(sem_post(sem), 0);
  CHECK_CHILD(first);

  struct timespec soon = after_ms(30);
  CHECK_ERRNO(sem_timedwait(sem, &soon), ETIMEDOUT);
  pid_t timed = fork_child();
  if (timed == 0) {
    struct timespec late = after_ms(15000);
    CHECK_EQ(sem_timedwait(sem, &late), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(timed);
  CHECK_EQ(sem_post(sem), 0);
  CHECK_CHILD(timed);

  pid_t interrupted = fork_child();
  if (interrupted == 0) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    CHECK_ERRNO(sem_wait(sem), EINTR);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(interrupted);
  kill(interrupted, SIGUSR1);
  CHECK_CHILD(interrupted);
}

/* The program that was started anew: adds a lot, together with its parent. */
enum { ROUNDS = 2000 };

static void count(sem_t* lock, int* counter) {
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(sem_wait(lock), 0);
    int before = *(volatile int*)counter;
    *(volatile int*)counter = before + 1;
    CHECK_EQ(sem_post(lock), 0);
  }
}

int main(int argc, char** argv) {
  if (argc > 1) {
    sem_t* lock = CHECK_SEM(sem_open("/lock", 0));
    int fd = CHECK_OK(shm_open("/counter", O_RDWR, 0));
    count(lock, map_shared(fd, sizeof(int)));
    return 0;
  }
  sem_t* sem = NEW_SEM("/s", 0);
  sleepers(sem);

  sem_t* lock = NEW_SEM("/lock", 1);
  int fd = NEW_MEMORY("/counter", sizeof(int));
  int* counter = map_shared(fd, sizeof(int));
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork_child();
    if (children[i] == 0) {
      alarm(0);
      execl("/proc/self/exe", argv[0], "again", (char*)NULL);
      FAIL("exec: expected success, got %s", strerrorname_np(errno));
    }
  }
  count(lock, counter);
  for (int i = 0; i < 2; i++) CHECK_CHILD(children[i]);
  CHECK_EQ(*counter, 3 * ROUNDS);
  CHECK_VALUE(lock, 1);
  REMOVE_SEM("/lock");
  REMOVE_MEMORY("/counter");
  REMOVE_SEM("/s");
}
