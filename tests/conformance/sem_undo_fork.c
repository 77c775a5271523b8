/*
 * A child made by fork starts without adjustments: its end takes back its own operations, its
 * parent's end the parent's.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(1);
  int* stage = shared_memory(sizeof *stage);
  SET_VALUE(id, 0, 10);

  pid_t parent = fork_child();
  if (parent == 0) {
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    pid_t child = fork_child();
    if (child == 0) {
      CHECK_EQ(SEMOP(id, {0, -2, SEM_UNDO}), 0);
      CHECK_VALUE(id, 0, 7);
      _exit(0);
    }
    CHECK_CHILD(child);
    CHECK_VALUE(id, 0, 9);
    CHECK_PID(id, 0, child);

    /* A child that has none changes nothing, not even the pid. */
    child = fork_child();
    if (child == 0) _exit(0);
    CHECK_CHILD(child);
    CHECK_VALUE(id, 0, 9);

    /* A child that outlives its parent keeps its own. */
    if (fork() == 0) {
      CHECK_EQ(SEMOP(id, {0, -4, SEM_UNDO}), 0);
      announce(stage, 1);
      await(stage, 2);
      _exit(0);
    }
    await(stage, 1);
    _exit(0);
  }
  await_zombie(parent);
  CHECK_VALUE(id, 0, 6);
  CHECK_PID(id, 0, parent);
  CHECK_CHILD(parent);
  announce(stage, 2);
  while (semctl(id, 0, GETVAL) != 10) sleep_ms(1);
  REMOVE_SET(id);
}
