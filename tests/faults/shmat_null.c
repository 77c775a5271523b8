// A greeting is put into a segment.
// The bug: shmat() tells of a failure by -1, and not by a null pointer as malloc() does.
#include "seeded.h"

int main(void) {
  const int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  if (segment < 0) fail("shmget");
  char* text = shmat(segment, NULL, 0);
#ifdef FIXED
  const int is_bad = text == (void*)-1;
#else
  const int is_bad = text == NULL;
#endif
  if (is_bad) perror("shmat");
  must_go("shmctl", shmctl(segment, IPC_RMID, NULL));
  if (is_bad) return 1;
  strcpy(text, "hello");
  puts(text);
  shmdt(text);
  return 0;
}
