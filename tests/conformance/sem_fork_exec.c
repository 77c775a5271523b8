/*
 * Ids are the namespace's, not the process's: they hold after fork, after exec and in processes
 * that are no relatives. exec forgets nothing and waits for nothing.
 */
#include "sem_check.h"

enum { KEY = 0x10de };

/* The other image, with an id from the command line and the key. */
static int after_exec(int id) {
  CHECK_EQ(semget(KEY, 2, 0), id);
  CHECK_EQ(SEMOP(id, {0, -1, 0}), 0);
  CHECK_EQ(SEMOP(id, {1, 1, 0}), 0);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2) return after_exec(atoi(argv[1]));

  int id = CHECK_OK(semget(KEY, 2, IPC_CREAT | 0600));
  char text[16];
  snprintf(text, sizeof text, "%d", id);

  /* The set was made before the fork; the child execs, and execs as a grandchild whose parent has
   * gone. */
  for (int orphan = 0; orphan < 2; orphan++) {
    pid_t child = fork_child();
    if (child == 0) {
      if (orphan && fork() != 0) _exit(0);
      execl("/proc/self/exe", argv[0], text, (char*)NULL);
      FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
    }
    if (orphan)
      CHECK_CHILD(child);
    else
      PAUSE_UNTIL_BLOCKED(child);
    CHECK_EQ(SEMOP(id, {0, 1, 0}), 0);
    CHECK_EQ(SEMOP(id, {1, -1, 0}), 0);
    if (!orphan) CHECK_CHILD(child);
  }
  REMOVE_SET(id);
}
