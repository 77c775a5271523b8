/*
 * What a dead process had done with SEM_UNDO is taken back before anyone can learn of its death:
 * before it is a zombie, before the other end of its pipe is closed, before its pidfd is readable.
 * A sleeper needs no one to reap it.
 */
#include "sem_check.h"
#include <poll.h>
#include <sys/syscall.h>

enum { ROUNDS = 20 };

int main(void) {
  int id = new_set(1);
  SET_VALUE(id, 0, 1);

  for (int i = 0; i < ROUNDS; i++) {
    pid_t holder = FORK_HOLDER(id, {0, -1, SEM_UNDO});
    CHECK_VALUE(id, 0, 0);
    kill_to_zombie(holder);
    CHECK_EQ(SEMOP(id, {0, -1, IPC_NOWAIT}), 0);
    KILL_CHILD(holder);
    SET_VALUE(id, 0, 1);
  }

  /* By the end of a pipe. */
  for (int i = 0; i < ROUNDS; i++) {
    int ends[2];
    char byte;
    CHECK_EQ(pipe(ends), 0);
    pid_t holder = FORK_HOLDER(id, {0, -1, SEM_UNDO});
    close(ends[1]);
    kill(holder, SIGKILL);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_VALUE(id, 0, 1);
    CHECK_PID(id, 0, holder);
    close(ends[0]);
    KILL_CHILD(holder);
  }

  /* By a pidfd. */
  for (int i = 0; i < ROUNDS; i++) {
    pid_t holder = FORK_HOLDER(id, {0, -1, SEM_UNDO});
    struct pollfd death = {.fd = syscall(SYS_pidfd_open, holder, 0), .events = POLLIN};
    if (death.fd < 0) {
      KILL_CHILD(holder);
      break;
    }
    kill(holder, SIGKILL);
    CHECK_EQ(poll(&death, 1, -1), 1);
    CHECK_VALUE(id, 0, 1);
    close(death.fd);
    KILL_CHILD(holder);
  }

  /* A sleeper is woken by the death itself. */
  pid_t holder = FORK_HOLDER(id, {0, -1, SEM_UNDO});
  pid_t sleeper = FORK_SEMOP(id, 0, {0, -1, 0});
  kill(holder, SIGKILL);
  CHECK_CHILD(sleeper);
  CHECK_VALUE(id, 0, 0);
  CHECK_PID(id, 0, sleeper);
  KILL_CHILD(holder);
  REMOVE_SET(id);
}
