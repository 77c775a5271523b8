// Three children each add their part to a sum.
// The bug: whether they could is not asked.
#include "seeded.h"

static void add(int set, int* sum, int part) {
  struct sembuf down = {0, -1, SEM_UNDO}, up = {0, 1, SEM_UNDO};
  if (TEMP_FAILURE_RETRY(semop(set, &down, 1)) < 0) _exit(1);
  *sum += part;
  if (TEMP_FAILURE_RETRY(semop(set, &up, 1)) < 0) _exit(1);
  _exit(0);
}

int main(void) {
  int* sum = shared_numbers();
  const int set = semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) fail("semget");
  struct sembuf up = {0, 1, 0};
  if (TEMP_FAILURE_RETRY(semop(set, &up, 1)) < 0) {
    perror("semop");
    must_go("semctl", semctl(set, 0, IPC_RMID));
    return 1;
  }
  for (int part = 1; part <= 3; ++part) {
    if (fork() == 0) add(set, sum, part);
  }
  const int is_well = children_did_well(3);
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (IS_FIXED && !is_well) {
    fprintf(stderr, "a child has failed\n");
    return 1;
  }
  printf("sum %d\n", *sum);
  return 0;
}
