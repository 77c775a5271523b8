/*
 * A dead process's attachments are gone before anyone can learn of its death: when it is a zombie,
 * when the other end of its pipe is closed, when its pidfd is readable. A segment that is marked to
 * be destroyed is destroyed by then, and no one need reap the zombie.
 */
#include "shm_check.h"
#include <poll.h>
#include <sys/syscall.h>

enum { ROUNDS = 20 };

int main(void) {
  int id = new_segment(pages(1));
  for (int i = 0; i < ROUNDS; i++) {
    pid_t holder = FORK_ATTACHED(id);
    CHECK_NATTCH(id, 1);
    kill_to_zombie(holder);
    CHECK_NATTCH(id, 0);
    CHECK_LPID(id, holder);
    KILL_CHILD(holder);
  }

  /* By the end of a pipe. */
  for (int i = 0; i < ROUNDS; i++) {
    int ends[2];
    char byte;
    CHECK_EQ(pipe(ends), 0);
    pid_t holder = FORK_ATTACHED(id);
    close(ends[1]);
    kill(holder, SIGKILL);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_NATTCH(id, 0);
    close(ends[0]);
    KILL_CHILD(holder);
  }

  /* By a pidfd. */
  for (int i = 0; i < ROUNDS; i++) {
    pid_t holder = FORK_ATTACHED(id);
    struct pollfd death = {.fd = syscall(SYS_pidfd_open, holder, 0), .events = POLLIN};
    if (death.fd < 0) {
      KILL_CHILD(holder);
      break;
    }
    kill(holder, SIGKILL);
    CHECK_EQ(poll(&death, 1, -1), 1);
    CHECK_NATTCH(id, 0);
    close(death.fd);
    KILL_CHILD(holder);
  }

  pid_t holder = FORK_ATTACHED(id);
  REMOVE_SEGMENT(id);
  CHECK_NATTCH(id, 1);
  kill_to_zombie(holder);
  CHECK_DESTROYED(id);
  KILL_CHILD(holder);
}
