/*
 * unshare(CLONE_NEWIPC) gives an empty namespace whose ids start at 0 again, apart from the old one
 * in keys and /proc; setns() goes back. A sleeper stays with the set that it sleeps on.
 */
#include "sem_check.h"

enum { KEY = 0x10dc };

static int lines_in_proc(void) {
  char text[8192];
  int lines = 0;
  read_text("/proc/sysvipc/sem", text, sizeof text);
  for (char* at = text; (at = strchr(at, '\n')) != NULL; at++) lines++;
  return lines;
}

int main(void) {
  CHECK_EQ(semget(KEY, 1, IPC_CREAT | 0600), 0);
  CHECK_EQ(new_set(2), 1);
  CHECK_EQ(lines_in_proc(), 3);
  pid_t sleeper = FORK_SEMOP(1, 0, {1, -1, 0});

  int old = CHECK_OK(open("/proc/self/ns/ipc", O_RDONLY));
  if (unshare(CLONE_NEWIPC) != 0) {
    if (errno != EPERM)
      FAIL("unshare(CLONE_NEWIPC): expected 0, got -1 %s", strerrorname_np(errno));
    KILL_CHILD(sleeper);
    SKIP("needs the right to unshare the IPC namespace");
  }

  CHECK_ERRNO(semget(KEY, 0, 0), ENOENT);
  CHECK_ERRNO(SEMOP(1, {1, 1, 0}), EINVAL);
  CHECK_EQ(lines_in_proc(), 1);
  CHECK_EQ(semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_EQ(SEMOP(0, {2, 1, 0}), 0);
  CHECK_EQ(lines_in_proc(), 2);

  /* A child lives where its parent lives now. When it goes elsewhere, its SEM_UNDO operations are
   * taken back before. */
  int* stage = shared_memory(sizeof *stage);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(SEMOP(0, {2, -1, SEM_UNDO}), 0);
    CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
    CHECK_ERRNO(SEMOP(0, {2, 0, 0}), EFBIG);
    CHECK_EQ(SEMOP(1, {1, 1, 0}), 0);
    announce(stage, 1);
    pause();
  }
  await(stage, 1);
  CHECK_VALUE(0, 2, 1);
  CHECK_PID(0, 2, child);
  KILL_CHILD(child);
  CHECK_CHILD(sleeper);
  REMOVE_SET(0);

  CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
  CHECK_EQ(lines_in_proc(), 3);
  CHECK_PID(1, 1, sleeper);
  close(old);
  REMOVE_SET(0);
  REMOVE_SET(1);
}
