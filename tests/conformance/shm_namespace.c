/*
 * unshare(CLONE_NEWIPC) gives an empty namespace whose ids start at 0 again; setns() goes back.
 * What is attached stays attached, to the segment of the old namespace: shmdt() counts there, also
 * for the last detachment of a marked one. A namespace lives as long as a segment of it is
 * attached.
 */
#include "shm_check.h"
#include <sched.h>

enum { KEY = 0x10f9 };

int main(void) {
  CHECK_EQ(shmget(KEY, 100, IPC_CREAT | 0600), 0);
  CHECK_EQ(new_segment(200), 1);
  char* p = ATTACH(0);
  char* marked = ATTACH(1);
  strcpy(p, "old");
  REMOVE_SEGMENT(1);

  int old = CHECK_OK(open("/proc/self/ns/ipc", O_RDONLY));
  if (unshare(CLONE_NEWIPC) != 0) {
    if (errno != EPERM)
      FAIL("unshare(CLONE_NEWIPC): expected 0, got -1 %s", strerrorname_np(errno));
    SKIP("needs the right to unshare the IPC namespace");
  }
  CHECK_TEXT(p, "old");
  CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
  CHECK_ERRNO(shmat(0, NULL, 0), EINVAL);
  CHECK_EQ(shmget(KEY, 300, IPC_CREAT | IPC_EXCL | 0600), 0);
  char* q = ATTACH(0);
  CHECK_NATTCH(0, 1);
  CHECK_BYTES(q, 0, 300);
  strcpy(q, "new");

  /* A child inherits both, each counted where it belongs. */
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(0, 2);
    CHECK_EQ(stat_segment(0).shm_segsz, 300);
    CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
    CHECK_NATTCH(0, 2);
    CHECK_EQ(stat_segment(0).shm_segsz, 100);
    CHECK_NATTCH(1, 2);
    DETACH(p);
    CHECK_NATTCH(0, 1);
    DETACH(q);
    CHECK_NATTCH(0, 1);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(0, 1);
  DETACH(marked);

  /* Nobody is in the new namespace, but its segment is still attached. */
  CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
  CHECK_DESTROYED(1);
  CHECK_NATTCH(0, 1);
  CHECK_LPID(0, child);
  CHECK_TEXT(q, "new");
  child = fork_child();
  if (child == 0) {
    strcpy(q, "child");
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_TEXT(q, "child");
  DETACH(q);
  DETACH(p);
  close(old);
  REMOVE_SEGMENT(0);
}
