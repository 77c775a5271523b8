/* /proc/sysvipc/sem however it is opened and read. */
#include "proc_pieces.h"
#include "sem_check.h"

enum { SETS = 120 };

int main(void) {
  for (int i = 0; i < SETS; i++) new_set(i + 1);
  check_pieces("sem", SETS);
  for (int i = 0; i < SETS; i++) REMOVE_SET(i);
}
