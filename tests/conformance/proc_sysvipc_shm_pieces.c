/* /proc/sysvipc/shm however it is opened and read. */
#include "proc_pieces.h"
#include "shm_check.h"

enum { SEGMENTS = 120 };

int main(void) {
  for (int i = 0; i < SEGMENTS; i++) new_segment(i + 1);
  check_pieces("shm", SEGMENTS);
  for (int i = 0; i < SEGMENTS; i++) REMOVE_SEGMENT(i);
}
