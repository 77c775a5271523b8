// Two children take turns with a lock.
// The bug: without SEM_UNDO the lock of a holder that was killed is nobody's ever again.
#include "seeded.h"

enum { kFlags = IS_FIXED ? SEM_UNDO : 0 };

static int change(int set, short by) {
  struct sembuf operation = {0, by, kFlags};
  return TEMP_FAILURE_RETRY(semop(set, &operation, 1));
}

static void work(int set) {
  if (change(set, -1) < 0 || change(set, 1) < 0) {
    perror("semop");
    _exit(1);
  }
  _exit(0);
}

int main(void) {
  const int set = semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) fail("semget");
  if (semctl(set, 0, SETVAL, (union semun){.val = 1}) < 0) {
    perror("semctl");
    must_go("semctl", semctl(set, 0, IPC_RMID));
    return 1;
  }
  int good = 0;
  for (int n = 0; n < 2; ++n) {
    const pid_t child = fork();
    if (child == 0) work(set);
    good += children_did_well(1);
  }
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (good < 2) {
    fprintf(stderr, "only %d children ended well\n", good);
    return 1;
  }
  puts("both have had their turn");
  return 0;
}
