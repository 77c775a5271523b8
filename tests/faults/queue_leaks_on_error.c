// A server sets up its queue and its segment, and ends at once.
// The bug: the queue stays where the segment could not be made.
#include "seeded.h"

static int queue = -1, segment = -1;

static void clean(void) {
  if (queue >= 0) must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  if (segment >= 0) must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
}

int main(void) {
  queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) fail("msgget");
#ifdef FIXED
  atexit(clean);
#endif
  segment = shmget(IPC_PRIVATE, 65536, 0600);
  if (segment < 0) fail("shmget");
  puts("the server is set up");
#ifndef FIXED
  clean();
#endif
  return 0;
}
