/*
 * SETVAL and SETALL let go who can go with the new values, and more than one: those who wait for
 * zero, those for an increase, calls of several operations. IPC_SET wakes nobody.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);
  pid_t one = FORK_SEMOP(id, 0, {0, -1, 0});
  pid_t two = FORK_SEMOP(id, 0, {0, -2, 0});
  pid_t three = FORK_SEMOP(id, 0, {0, -3, 0});
  set_mode(id, 0640);
  PAUSE_UNTIL_BLOCKED(one);

  SET_VALUE(id, 0, 4);
  CHECK_CHILD(one);
  CHECK_CHILD(two);
  CHECK_VALUE(id, 0, 1);
  CHECK_PID(id, 0, two);
  PAUSE_UNTIL_BLOCKED(three);

  /* Down to zero is nothing for those who want more. */
  pid_t zero = FORK_SEMOP(id, 0, {0, 0, 0});
  SET_VALUE(id, 0, 2);
  PAUSE_UNTIL_BLOCKED(zero);
  SET_VALUE(id, 0, 0);
  CHECK_CHILD(zero);
  CHECK_PID(id, 0, zero);
  PAUSE_UNTIL_BLOCKED(three);

  /* SETALL: several semaphores, a call of several and a chain behind it. */
  pid_t both = FORK_SEMOP(id, 0, {1, -1, 0}, {2, -1, 0});
  unsigned short values[] = {2, 1, 1}, got[3];
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  pid_t chained = FORK_SEMOP(id, 0, {1, 0, 0}, {2, 0, 0}, {0, 1, 0});
  CHECK_EQ(semctl(id, 0, SETALL, (union semun){.array = values}), 0);
  CHECK_CHILD(both);
  CHECK_CHILD(chained);
  CHECK_CHILD(three);
  CHECK_EQ(semctl(id, 0, GETALL, (union semun){.array = got}), 0);
  CHECK(got[0] == 0 && got[1] == 0 && got[2] == 0);
  CHECK_PID(id, 0, three);
  CHECK_PID(id, 1, chained);
  CHECK_PID(id, 2, chained);
  REMOVE_SET(id);
}
