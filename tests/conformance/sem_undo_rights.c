/*
 * Adjustments are applied whatever the process may do by then: after it has become another user,
 * after the set was closed to it.
 */
#include "sem_check.h"

enum { OWNER = 10001, STRANGER = 10002 };

int main(void) {
  NEED_ROOT();
  int* stage = shared_memory(sizeof *stage);
  int id = CHECK_OK(semget(IPC_PRIVATE, 1, 0666));
  SET_VALUE(id, 0, 10);

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
    become(OWNER, OWNER, 0);
    CHECK_EQ(SEMOP(id, {0, -1, SEM_UNDO}), 0);
    announce(stage, 1);
    await(stage, 2);
    CHECK_ERRNO(SEMOP(id, {0, 1, SEM_UNDO}), EACCES);
    CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
    _exit(0);
  }
  await(stage, 1);
  set_mode(id, 0600);
  announce(stage, 2);
  await_zombie(child);
  CHECK_VALUE(id, 0, 10);
  CHECK_PID(id, 0, child);
  CHECK_CHILD(child);

  /* A sleeper that was let in before is served. */
  set_mode(id, 0666);
  SET_VALUE(id, 0, 0);
  child = fork_child();
  if (child == 0) {
    become(STRANGER, STRANGER, 0);
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}), 0);
    CHECK_ERRNO(SEMOP(id, {0, 0, 0}), EACCES);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  set_mode(id, 0600);
  PAUSE_UNTIL_BLOCKED(child);
  CHECK_EQ(SEMOP(id, {0, 3, 0}), 0);
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 3);
  REMOVE_SET(id);
}
