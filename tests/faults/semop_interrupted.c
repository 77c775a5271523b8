// A child works out a number; the parent waits for it by a semaphore.
// The bug: a wait that a signal has ended is taken for one that has come to its end.
#include "seeded.h"

static void change(int set, short by) {
  struct sembuf operation = {0, by, 0};
#ifdef FIXED
  if (TEMP_FAILURE_RETRY(semop(set, &operation, 1)) < 0) fail("semop");
#else
  if (semop(set, &operation, 1) < 0 && errno != EINTR) fail("semop");
#endif
}

int main(void) {
  int* answer = shared_numbers();
  const int set = semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) fail("semget");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    usleep(20000);
    *answer = 42;
    change(set, 1);
    _exit(0);
  }
  change(set, -1);
  printf("the answer is %d\n", *(volatile int*)answer);
  waitpid(child, NULL, 0);
  must_go("semctl", semctl(set, 0, IPC_RMID));
  return 0;
}
