/* A new segment is zero also where the memory of one that was just destroyed is used again. */
#include "shm_check.h"

enum { ROUNDS = 40 };

int main(void) {
  size_t size = pages(16) + 100;
  for (int i = 0; i < ROUNDS; i++) {
    int id = new_segment(size);
    char* p = ATTACH(id);
    CHECK_BYTES(p, 0, pages(17));
    memset(p, 0xa5, pages(17));
    if (i % 2) {
      REMOVE_SEGMENT(id);
      DETACH(p);
    } else {
      DETACH(p);
      REMOVE_SEGMENT(id);
    }
  }

  /* The same after a process that dies with it. */
  for (int i = 0; i < ROUNDS / 4; i++) {
    int id = new_segment(size);
    pid_t child = fork_child();
    if (child == 0) {
      memset(ATTACH(id), 0x5a, pages(17));
      REMOVE_SEGMENT(id);
      _exit(0);
    }
    CHECK_CHILD(child);
    id = new_segment(size);
    char* p = ATTACH(id);
    CHECK_BYTES(p, 0, pages(17));
    DETACH(p);
    REMOVE_SEGMENT(id);
  }
}
