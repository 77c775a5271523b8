// A queue is wanted, and where there are too many, somebody will surely remove one.
// The bug: nobody does.
#include "seeded.h"

int main(void) {
  int queue;
  int tries = 0;
  while ((queue = msgget(IPC_PRIVATE, 0600)) < 0 && errno == ENOSPC) {
    if (IS_FIXED && ++tries == 10) break;
    usleep(2000);
  }
  if (queue < 0) fail("msgget");
  puts("there is a queue");
  must_go("msgctl", msgctl(queue, IPC_RMID, NULL));
  return 0;
}
