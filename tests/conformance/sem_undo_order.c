/*
 * A dying process gives back set by set, the one last used with SEM_UNDO first, however that use
 * ended: their sleepers are woken in that order.
 */
#include "sem_check.h"

enum { SETS = 4 };

int main(void) {
  need_wake_order();
  int sets[SETS], *turns = shared_memory((SETS + 1) * sizeof *turns);
  pid_t sleepers[SETS];
  int* ready = shared_memory(sizeof *ready);
  for (int i = 0; i < SETS; i++) {
    sets[i] = new_set(1);
    SET_VALUE(sets[i], 0, 1);
  }
  pid_t holder = fork_child();
  if (holder == 0) {
    for (int i = 0; i < SETS; i++) CHECK_EQ(SEMOP(sets[i], {0, -1, SEM_UNDO}), 0);
    /* 3 2 1 0 now. A use without the flag does not count, one that fails does. */
    CHECK_EQ(SEMOP(sets[2], {0, 1, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(sets[2], {0, -1, SEM_UNDO}), 0);
    CHECK_ERRNO(SEMOP(sets[0], {0, -1, SEM_UNDO | IPC_NOWAIT}), EAGAIN);
    CHECK_EQ(SEMOP(sets[1], {0, 1, 0}), 0);
    CHECK_EQ(SEMOP(sets[1], {0, -1, 0}), 0);
    announce(ready, 1);
    for (;;) pause();
  }
  await(ready, 1);

  for (int i = 0; i < SETS; i++) {
    sleepers[i] = fork_child();
    if (sleepers[i] == 0) {
      CHECK_EQ(SEMOP(sets[i], {0, -1, 0}), 0);
      turns[i] = __atomic_add_fetch(&turns[SETS], 1, __ATOMIC_SEQ_CST);
      _exit(0);
    }
    PAUSE_UNTIL_BLOCKED(sleepers[i]);
  }
  KILL_CHILD(holder);
  for (int i = 0; i < SETS; i++) CHECK_CHILD(sleepers[i]);
  CHECK_EQ(turns[0], 1);
  CHECK_EQ(turns[2], 2);
  CHECK_EQ(turns[3], 3);
  CHECK_EQ(turns[1], 4);
  for (int i = 0; i < SETS; i++) REMOVE_SET(sets[i]);
}
