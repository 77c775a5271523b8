/*
 * IPC_RMID ends all sleepers with EIDRM, of every kind; whoever comes later finds EINVAL, one with
 * a key another set.
 */
#include "sem_check.h"

enum { KEY = 0x10db };

int main(void) {
  int id = CHECK_OK(semget(KEY, 2, IPC_CREAT | 0600));
  SET_VALUE(id, 1, 1);
  pid_t sleepers[] = {
      FORK_SEMOP(id, EIDRM, {0, -1, 0}),
      FORK_SEMOP(id, EIDRM, {0, -1, SEM_UNDO}),
      FORK_SEMOP(id, EIDRM, {1, 0, 0}),
      FORK_SEMOP(id, EIDRM, {1, 0, 0}, {0, 0, 0}),
      FORK_SEMOP(id, EIDRM, {1, 0, 0}, {0, 1, SEM_UNDO}),
      FORK_SEMOP(id, EIDRM, {1, -9, SEM_UNDO}, {1, -1, 0}),
      fork_child(),
  };
  if (sleepers[6] == 0) {
    struct timespec timeout = {15, 0};
    CHECK_ERRNO(semtimedop(id, OPS({0, -1, 0}), &timeout), EIDRM);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(sleepers[6]);
  pid_t holder = FORK_HOLDER(id, {0, 0, 0}, {1, 5, SEM_UNDO});

  REMOVE_SET(id);
  for (int i = 0; i < 7; i++) CHECK_CHILD(sleepers[i]);
  CHECK_ERRNO(SEMOP(id, {0, 1, 0}), EINVAL);
  CHECK_ERRNO(semctl(id, 0, IPC_RMID), EINVAL);
  CHECK_ERRNO(semget(KEY, 0, 0), ENOENT);
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600), id + 1);
  KILL_CHILD(holder);
  CHECK_VALUE(id + 1, 0, 0);
  REMOVE_SET(id + 1);
}
