// The first process makes the set and sets it up; others wait until it has been used once, which
// sem_otime tells.
// The bug: they wait for ever where the first has died in between.
#include "seeded.h"

enum { kKey = 0x5eed0001, kTries = IS_FIXED ? 100 : 1000000 };

static int make_set(void) {
  const int set = semget(kKey, 1, IPC_CREAT | IPC_EXCL | 0600);
  if (set < 0) return -1;
  struct sembuf up = {0, 1, 0};
  if (TEMP_FAILURE_RETRY(semop(set, &up, 1)) == 0) return set;
  must_go("semctl", semctl(set, 0, IPC_RMID));
  return -1;
}

// The set, if it is there; true if it is set up, too.
static int find_set(int* set) {
  for (int tries = 0; tries < kTries; ++tries) {
    struct semid_ds status;
    const union { struct semid_ds* buf; } argument = {&status};
    const int found = semget(kKey, 0, 0);
    if (found >= 0) *set = found;
    if (found >= 0 && semctl(found, 0, IPC_STAT, argument) == 0 && status.sem_otime != 0) return 1;
    usleep(1000);
  }
  return 0;
}

int main(void) {
  const pid_t child = fork();
  if (child == 0) _exit(make_set() < 0);
  int set = -1;
  const int is_ready = find_set(&set);
  waitpid(child, NULL, 0);
  if (set >= 0) must_go("semctl", semctl(set, 0, IPC_RMID));
  if (!is_ready) {
    fprintf(stderr, "nobody has set up the semaphores\n");
    return 1;
  }
  puts("the set is ready");
  return 0;
}
