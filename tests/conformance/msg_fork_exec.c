/*
 * Ids are the namespace's, not the process's: they hold after fork, after exec and in processes
 * that are no relatives.
 */
#include "msg_check.h"

enum { KEY = 0x10c7 };

/* The other image, with an id from the command line and the key. */
static int after_exec(int id) {
  CHECK_EQ(msgget(KEY, 0), id);
  CHECK_RECV(id, 1, 0, 1, "to the new image");
  CHECK_SEND(id, 2, "from the new image");
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2) return after_exec(atoi(argv[1]));

  int id = CHECK_OK(msgget(KEY, IPC_CREAT | 0600));
  char text[16];
  snprintf(text, sizeof text, "%d", id);

  /* The queue was made before the fork; the child execs, and execs as a grandchild whose parent has
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
    CHECK_SEND(id, 1, "to the new image");
    CHECK_RECV(id, 2, 0, 2, "from the new image");
    if (!orphan) CHECK_CHILD(child);
  }

  /* A queue that a child made outlives it. */
  int* made = shared_memory(sizeof *made);
  pid_t maker = fork_child();
  if (maker == 0) {
    *made = new_queue();
    CHECK_SEND(*made, 3, "legacy");
    _exit(0);
  }
  CHECK_CHILD(maker);
  CHECK_RECV(*made, 0, IPC_NOWAIT, 3, "legacy");
  CHECK_EQ(stat_queue(*made).msg_lspid, maker);
  REMOVE_QUEUE(*made);
  REMOVE_QUEUE(id);
}
