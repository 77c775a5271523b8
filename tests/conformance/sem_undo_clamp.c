/*
 * Adjustments at the end of a process stop at 0 and at 32767, each semaphore for itself: what
 * others did meanwhile is not waited for.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(4);
  SET_VALUE(id, 2, SEM_VALUE_MAXIMUM);
  SET_VALUE(id, 3, 5);
  pid_t holder =
      FORK_HOLDER(id, {0, 4, SEM_UNDO}, {1, 2, SEM_UNDO}, {2, -100, SEM_UNDO}, {3, -5, SEM_UNDO});
  CHECK_EQ(SEMOP(id, {0, -3, 0}, {1, -1, 0}, {2, 99, 0}), 0);
  kill_to_zombie(holder);

  CHECK_VALUE(id, 0, 0);
  CHECK_VALUE(id, 1, 0);
  CHECK_VALUE(id, 2, SEM_VALUE_MAXIMUM);
  CHECK_VALUE(id, 3, 5);
  for (int i = 0; i < 4; i++) CHECK_PID(id, i, holder);
  KILL_CHILD(holder);

  /* The pid is set also where the clamp leaves the value as it was. */
  holder = FORK_HOLDER(id, {0, 1, SEM_UNDO}, {3, 1, SEM_UNDO});
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_PID(id, 0, getpid());
  kill_to_zombie(holder);
  CHECK_VALUE(id, 0, 0);
  CHECK_PID(id, 0, holder);
  KILL_CHILD(holder);

  /* The largest adjustments there are. */
  SET_VALUE(id, 0, SEM_VALUE_MAXIMUM);
  SET_VALUE(id, 1, 0);
  holder = FORK_HOLDER(id, {0, -SEM_VALUE_MAXIMUM, SEM_UNDO}, {1, SEM_VALUE_MAXIMUM, SEM_UNDO});
  CHECK_EQ(SEMOP(id, {0, SEM_VALUE_MAXIMUM, 0}, {1, -SEM_VALUE_MAXIMUM, 0}), 0);
  kill_to_zombie(holder);
  CHECK_VALUE(id, 0, SEM_VALUE_MAXIMUM);
  CHECK_VALUE(id, 1, 0);
  KILL_CHILD(holder);
  REMOVE_SET(id);
}
