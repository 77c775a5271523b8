// A segment is made and attached, with a second try where the machine is short of memory.
// The bug: the second try makes another segment, and forgets the first.
#include "seeded.h"

static int segment = -1;

static char* make_buffer(void) {
  for (int tries = 0; tries < 2; ++tries) {
    segment = shmget(IPC_PRIVATE, 16384, 0600);
    if (segment < 0) return NULL;
    char* buffer = shmat(segment, NULL, 0);
    if (buffer != (void*)-1) return buffer;
#ifdef FIXED
    must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
#endif
    usleep(1000);
  }
  return NULL;
}

int main(void) {
  char* buffer = make_buffer();
  if (buffer == NULL) fail("no buffer");
  must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
  strcpy(buffer, "a buffer");
  puts(buffer);
  return 0;
}
