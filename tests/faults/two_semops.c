// A process needs two tools at once, and takes one after the other.
// The bug: where the second is not to be had it starts over, and waits for the first, which it has.
#include "seeded.h"

static int take_both(int set) {
#ifdef FIXED
  struct sembuf both[2] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}};
  return TEMP_FAILURE_RETRY(semop(set, both, 2));
#else
  struct sembuf first = {0, -1, SEM_UNDO}, second = {1, -1, SEM_UNDO | IPC_NOWAIT};
  for (;;) {
    if (TEMP_FAILURE_RETRY(semop(set, &first, 1)) < 0) return -1;
    if (semop(set, &second, 1) == 0) return 0;
    if (errno != EAGAIN) return -1;
  }
#endif
}

int main(void) {
  const int set = semget(IPC_PRIVATE, 2, 0600);
  if (set < 0) fail("semget");
  unsigned short ones[2] = {1, 1};
  int is_well = semctl(set, 0, SETALL, (union semun){.array = ones}) == 0;
  is_well = is_well && take_both(set) == 0;
  if (!is_well) perror("semaphores");
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (!is_well) return 1;
  puts("has both tools");
  return 0;
}
