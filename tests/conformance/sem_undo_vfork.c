/* A child made by vfork has adjustments of its own, as one made by fork has. */
#include "sem_check.h"

int main(void) {
  int id = new_set(1);
  SET_VALUE(id, 0, 10);
  pid_t child = vfork();
  if (child == 0) {
    semop(id, OPS({0, -1, SEM_UNDO}));
    _exit(0);
  }
  CHECK_EQ(waitpid(child, NULL, 0), child);
  CHECK_VALUE(id, 0, 10);
  REMOVE_SET(id);
}
