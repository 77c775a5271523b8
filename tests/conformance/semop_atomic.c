/*
 * The operations of a call are done in the order of the array, each on what the ones before it have
 * left, and all of them or none.
 */
#include "sem_check.h"

int main(void) {
  int id = new_set(3);

  /* On one semaphore. */
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {0, -1, IPC_NOWAIT}), 0);
  CHECK_ERRNO(SEMOP(id, {0, -1, IPC_NOWAIT}, {0, 1, 0}), EAGAIN);
  CHECK_EQ(SEMOP(id, {0, 0, IPC_NOWAIT}, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  CHECK_ERRNO(SEMOP(id, {0, 0, IPC_NOWAIT}, {0, 1, 0}), EAGAIN);
  CHECK_EQ(SEMOP(id, {0, -1, 0}, {0, 0, IPC_NOWAIT}, {0, 1, 0}), 0);
  CHECK_ERRNO(SEMOP(id, {0, 1, 0}, {0, 0, IPC_NOWAIT}, {0, -2, 0}), EAGAIN);
  CHECK_ERRNO(SEMOP(id, {0, -1, 0}, {0, -1, IPC_NOWAIT}, {0, 5, 0}), EAGAIN);
  CHECK_EQ(SEMOP(id, {0, 1, 0}, {0, 1, 0}, {0, -3, IPC_NOWAIT}), 0);
  CHECK_VALUE(id, 0, 0);

  /* The first failure decides, and nothing of what stood before it remains. */
  CHECK_ERRNO(SEMOP(id, {0, 5, 0}, {1, 3, SEM_UNDO}, {2, -1, IPC_NOWAIT}), EAGAIN);
  CHECK_ERRNO(SEMOP(id, {0, 5, 0}, {1, 32767, 0}, {1, 1, 0}), ERANGE);
  for (int i = 0; i < 3; i++) {
    CHECK_VALUE(id, i, 0);
    CHECK_PID(id, i, i == 0 ? getpid() : 0);
  }

  /* The same, asleep: all of it happens at the moment it can. */
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  pid_t sleeper = FORK_SEMOP(id, 0, {0, 7, 0}, {1, 0, 0}, {0, -6, 0}, {2, -2, 0}, {2, 1, 0});
  CHECK_VALUE(id, 0, 0);
  CHECK_EQ(SEMOP(id, {2, 2, 0}), 0);
  CHECK_VALUE(id, 2, 2);
  CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  CHECK_VALUE(id, 1, 0);
  CHECK_VALUE(id, 2, 1);
  CHECK_CHILD(sleeper);

  /* 64 semaphores apart is not the same semaphore. */
  int large = new_set(200);
  CHECK_EQ(SEMOP(large, {1, 1, 0}, {65, 2, 0}, {129, 3, 0}), 0);
  CHECK_ERRNO(SEMOP(large, {1, -1, 0}, {65, -2, 0}, {129, -4, IPC_NOWAIT}), EAGAIN);
  CHECK_EQ(SEMOP(large, {129, -3, 0}, {65, -1, 0}, {0, 0, 0}, {64, 0, 0}), 0);
  CHECK_VALUE(large, 1, 1);
  CHECK_VALUE(large, 65, 1);
  CHECK_VALUE(large, 129, 0);
  REMOVE_SET(large);
  REMOVE_SET(id);
}
