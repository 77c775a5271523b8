// A child fills in a result; the parent waits for it, but not for ever.
// The bug: the end of the time is taken for the end of the work.
#include "seeded.h"

int main(void) {
  int* result = shared_numbers();
  const int set = semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) fail("semget");
  const pid_t child = fork();
  if (child == 0) {
    usleep(20000);
    *result = 7;
    struct sembuf up = {0, 1, 0};
    _exit(TEMP_FAILURE_RETRY(semop(set, &up, 1)) < 0);
  }
  struct sembuf down = {0, -1, 0};
  const struct timespec patience = {0, 500000000};
  const int waited = TEMP_FAILURE_RETRY(semtimedop(set, &down, 1, &patience));
  const int error = errno;
  const int seen = *(volatile int*)result;
  waitpid(child, NULL, 0);
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (waited < 0 && (IS_FIXED || error != EAGAIN)) {
    fprintf(stderr, "semtimedop: %s\n", strerror(error));
    return 1;
  }
  printf("the result is %d\n", seen);
  return 0;
}
