// A set of tokens is filled, and one is taken.
// The bug: whether it could be filled is not asked, and tokens that are not there are waited for.
#include "seeded.h"

int main(void) {
  const int set = semget(IPC_PRIVATE, 3, 0600);
  if (set < 0) fail("semget");
  unsigned short tokens[3] = {1, 2, 3};
  const int filled = semctl(set, 0, SETALL, (union semun){.array = tokens});
  if (IS_FIXED && filled < 0) {
    perror("semctl");
    must_go("semctl", semctl(set, 0, IPC_RMID));
    return 1;
  }
  struct sembuf take = {2, -1, 0};
  const int taken = TEMP_FAILURE_RETRY(semop(set, &take, 1));
  if (taken < 0) perror("semop");
  must_go("semctl", semctl(set, 0, IPC_RMID));
  if (taken < 0) return 1;
  puts("took a token");
  return 0;
}
