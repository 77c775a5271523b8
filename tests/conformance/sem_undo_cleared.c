/*
 * SETVAL clears the adjustments of all processes for its semaphore, SETALL those for the whole set,
 * the caller's included, also when the value stays the same. IPC_SET and a refused SETALL clear
 * none.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);
  unsigned short values[] = {10, 10, 10}, too_large[] = {10, 10, 40000};
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);

  pid_t holder = FORK_HOLDER(id, {0, -1, SEM_UNDO}, {1, -1, SEM_UNDO});
  pid_t other = FORK_HOLDER(id, {0, -2, SEM_UNDO}, {1, -2, SEM_UNDO});
  pid_t itself = fork_child();
  if (itself == 0) {
    CHECK_EQ(SEMOP(id, {0, -3, SEM_UNDO}, {1, -3, SEM_UNDO}), 0);
    SET_VALUE(id, 0, 4);
    CHECK_EQ(SEMOP(id, {2, -1, SEM_UNDO}), 0);
    _exit(0);
  }
  CHECK_CHILD(itself);
  CHECK_VALUE(id, 0, 4);
  CHECK_PID(id, 0, itself);
  CHECK_VALUE(id, 1, 7);
  CHECK_VALUE(id, 2, 10);
  set_mode(id, 0640);
  CHECK_ERRNO(semctl(id, 0, SETALL, (union semun){.array = too_large}), ERANGE);
  CHECK_ERRNO(setval(id, 1, 32768), ERANGE);
  KILL_CHILD(holder);
  CHECK_VALUE(id, 0, 4);
  CHECK_PID(id, 0, itself);
  CHECK_VALUE(id, 1, 8);

  /* What is done after the clearing counts again. */
  kill_to_zombie(other);
  KILL_CHILD(other);
  CHECK_VALUE(id, 1, 10);
  pid_t later = fork_child();
  if (later == 0) {
    CHECK_EQ(SEMOP(id, {0, -2, SEM_UNDO}, {1, -2, SEM_UNDO}, {2, 6, SEM_UNDO}), 0);
    CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
    CHECK_EQ(SEMOP(id, {1, -5, SEM_UNDO}), 0);
    _exit(0);
  }
  CHECK_CHILD(later);
  for (int i = 0; i < 3; i++) {
    CHECK_VALUE(id, i, 10);
    CHECK_PID(id, i, later);
  }

  /* A sleeper that SETVAL serves is served after the clearing. */
  pid_t served = fork_child();
  if (served == 0) {
    CHECK_EQ(SEMOP(id, {0, -4, SEM_UNDO}), 0);
    CHECK_EQ(SEMOP(id, {0, -9, SEM_UNDO}), 0);
    CHECK_VALUE(id, 0, 2);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(served);
  SET_VALUE(id, 0, 11);
  CHECK_CHILD(served);
  CHECK_VALUE(id, 0, 11);
  REMOVE_SET(id);
}
