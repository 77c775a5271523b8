// Two processes count in shared memory, with a semaphore as their lock.
// The bug: a lock that cannot be had is none.
#include "seeded.h"

enum { kRounds = 10 };
static int set = -1;

static void change(short by) {
  struct sembuf operation = {0, by, SEM_UNDO};
#ifdef FIXED
  if (TEMP_FAILURE_RETRY(semop(set, &operation, 1)) < 0) fail("semop");
#else
  semop(set, &operation, 1);
#endif
}

static void count(int* counter) {
  for (int n = 0; n < kRounds; ++n) {
    change(-1);
    const int before = *(volatile int*)counter;
    usleep(500);
    *(volatile int*)counter = before + 1;
    change(1);
  }
  exit(0);
}

int main(void) {
  int* counter = shared_numbers();
  set = semget(IPC_PRIVATE, 1, 0600);
#ifdef FIXED
  if (set < 0) fail("semget");
#endif
  const int result = semctl(set, 0, SETVAL, (union semun){.val = 1});
  if (IS_FIXED && result < 0) {
    perror("semctl");
    must_go("semctl", semctl(set, 0, IPC_RMID));
    return 1;
  }
  int children = 0;
  for (; children < 2; ++children) {
    const pid_t child = fork();
    if (child == 0) count(counter);
    if (child < 0) break;
  }
  const int is_well = children_did_well(children) && children == 2;
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (IS_FIXED && !is_well) {
    fprintf(stderr, "a child failed\n");
    return 1;
  }
  printf("counted to %d\n", *counter);
  return 0;
}
