/*
 * A handler may leave a blocked semop() by siglongjmp(): the call is over and leaves no trace. A
 * handler may operate on the same set; what it posts is not given to the call it interrupted.
 */
#include "sem_check.h"
#include <setjmp.h>

static int id;
static sigjmp_buf escape;

static void on_jump(int number) { siglongjmp(escape, number); }

static void on_post(int number) {
  (void)number;
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_EQ(SEMOP(id, {1, 1, SEM_UNDO}, {1, -1, 0}), 0);
}

int main(void) {
  id = new_set(2);
  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    signal(SIGUSR1, on_jump);
    if (sigsetjmp(escape, 1) == 0) {
      SEMOP(id, {0, -1, SEM_UNDO});
      FAIL("semop: expected to be left by siglongjmp, it returned");
    }
    announce(stage, 1);
    await(stage, 2);
    CHECK_EQ(SEMOP(id, {0, -1, IPC_NOWAIT}), 0);

    struct sigaction action = {.sa_handler = on_post, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
    announce(stage, 3);
    CHECK_ERRNO(SEMOP(id, {0, -1, 0}), EINTR);
    CHECK_VALUE(id, 0, 1);
    CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
    _exit(0);
  }
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR1);
  await(stage, 1);
  CHECK_COUNTS(id, 0, 0, 0);
  CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
  CHECK_VALUE(id, 0, 1);
  announce(stage, 2);
  await(stage, 3);
  PAUSE_UNTIL_BLOCKED(child);
  kill(child, SIGUSR2);
  CHECK_CHILD(child);
  CHECK_VALUE(id, 0, 0);
  REMOVE_SET(id);
}
