/*
 * IPC_RMID drops the adjustments for the set: another set with the same index, or the same key, is
 * untouched when the process ends, and other sets still get theirs.
 */
#include "sem_check.h"

enum { KEY = 0x10d6 };

int main(void) {
  int kept = new_set(1);
  int id = CHECK_OK(semget(KEY, 2, IPC_CREAT | 0600));
  SET_VALUE(kept, 0, 1);
  SET_VALUE(id, 0, 5);
  int* stage = shared_memory(sizeof *stage);
  pid_t holder = fork_child();
  if (holder == 0) {
    CHECK_EQ(SEMOP(id, {0, -5, SEM_UNDO}, {1, 3, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(kept, {0, -1, SEM_UNDO}), 0);
    announce(stage, 1);
    await(stage, 2);
    int again = CHECK_OK(semget(KEY, 0, 0));
    CHECK_EQ(SEMOP(again, {1, 1, SEM_UNDO}), 0);
    announce(stage, 3);
    pause();
  }
  await(stage, 1);
  REMOVE_SET(id);

  /* Round the window of indexes, until the index comes again. */
  int again;
  while ((again = CHECK_OK(semget(KEY, 2, IPC_CREAT | 0600))) % SEQUENCE != id % SEQUENCE)
    REMOVE_SET(again);
  CHECK(again != id);
  CHECK_EQ(SEMOP(again, {0, 2, 0}, {1, 2, 0}), 0);
  announce(stage, 2);
  await(stage, 3);
  CHECK_VALUE(again, 1, 3);

  kill_to_zombie(holder);
  CHECK_VALUE(again, 0, 2);
  CHECK_PID(again, 0, getpid());
  CHECK_VALUE(again, 1, 2);
  CHECK_PID(again, 1, holder);
  CHECK_VALUE(kept, 0, 1);
  KILL_CHILD(holder);
  REMOVE_SET(again);
  REMOVE_SET(kept);
}
