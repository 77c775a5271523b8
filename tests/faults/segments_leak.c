// Three buffers are made, or none.
// The bug: where the third fails, only the one before it is taken back.
#include "seeded.h"

enum { kBuffers = 3 };

static int make_buffers(int* buffers) {
  for (int n = 0; n < kBuffers; ++n) {
    buffers[n] = shmget(IPC_PRIVATE, 8192, 0600);
    if (buffers[n] >= 0) continue;
    perror("shmget");
#ifdef FIXED
    while (n-- > 0) must_go("shmctl", shmctl(buffers[n], IPC_RMID, NULL));
#else
    if (n > 0) must_go("shmctl", shmctl(buffers[n - 1], IPC_RMID, NULL));
#endif
    return -1;
  }
  return 0;
}

int main(void) {
  int buffers[kBuffers];
  if (make_buffers(buffers) < 0) return 1;
  puts("three buffers");
  for (int n = 0; n < kBuffers; ++n) must_go("shmctl", shmctl(buffers[n], IPC_RMID, NULL));
  return 0;
}
