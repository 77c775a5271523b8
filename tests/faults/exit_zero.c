// A report is written to shared memory, and its size printed.
// The bug: the failure is told, but not by the exit status that the caller looks at.
#include "seeded.h"

int main(void) {
  const int segment = shmget(IPC_PRIVATE, 4096, 0600);
  if (segment < 0) {
    perror("shmget");
    return IS_FIXED ? 1 : 0;
  }
  char* report = shmat(segment, NULL, 0);
  if (report == (void*)-1) perror("shmat");
  must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
  if (report == (void*)-1) return IS_FIXED ? 1 : 0;
  printf("report of %d bytes\n", sprintf(report, "all is well"));
  return 0;
}
