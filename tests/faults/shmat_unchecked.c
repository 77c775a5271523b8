// A table is put together in a segment.
// The bug: that shmat() may fail has not been thought of.
#include "seeded.h"

int main(void) {
  const int segment = shmget(IPC_PRIVATE, 4096, 0600);
  if (segment < 0) fail("shmget");
  int* table = shmat(segment, NULL, 0);
#ifdef FIXED
  if (table == (void*)-1) {
    perror("shmat");
    must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
    return 1;
  }
#endif
  must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
  for (int n = 0; n < 10; ++n) table[n] = n * n;
  printf("the last square is %d\n", table[9]);
  return 0;
}
