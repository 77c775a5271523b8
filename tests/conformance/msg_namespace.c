/*
 * unshare(CLONE_NEWIPC) gives an empty namespace whose ids start at 0 again, apart from the old one
 * in keys, /proc and limits; setns() goes back. A sleeper stays with the queue that it sleeps on.
 */
#include "msg_check.h"
#include <sched.h>
#include <sys/stat.h>

enum { KEY = 0x10cc };

static int lines_in_proc(void) {
  char text[8192];
  int lines = 0;
  read_text("/proc/sysvipc/msg", text, sizeof text);
  for (char* at = text; (at = strchr(at, '\n')) != NULL; at++) lines++;
  return lines;
}

int main(void) {
  CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
  CHECK_EQ(new_queue(), 1);
  CHECK_EQ(lines_in_proc(), 3);
  pid_t sleeper = FORK_RECEIVER(1, 0, 0, 1, "across");

  struct stat before, after;
  int old = CHECK_OK(open("/proc/self/ns/ipc", O_RDONLY));
  CHECK_EQ(fstat(old, &before), 0);
  if (unshare(CLONE_NEWIPC) != 0) {
    if (errno != EPERM)
      FAIL("unshare(CLONE_NEWIPC): expected 0, got -1 %s", strerrorname_np(errno));
    KILL_CHILD(sleeper);
    SKIP("needs the right to unshare the IPC namespace");
  }
  CHECK_EQ(stat("/proc/self/ns/ipc", &after), 0);
  CHECK(before.st_ino != after.st_ino);

  CHECK_ERRNO(msgget(KEY, 0), ENOENT);
  CHECK_ERRNO(send_sized(1, 1, 1, 0), EINVAL);
  CHECK_EQ(lines_in_proc(), 1);
  CHECK_EQ(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600), 0);
  CHECK_SEND(0, 1, "new");
  CHECK_EQ(lines_in_proc(), 2);

  /* A child lives where its parent lives now. */
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_RECV(0, 0, IPC_NOWAIT, 1, "new");
    CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
    CHECK_NOTHING(0, 0);
    CHECK_SEND(1, 1, "across");
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_CHILD(sleeper);
  REMOVE_QUEUE(0);

  CHECK_EQ(setns(old, CLONE_NEWIPC), 0);
  CHECK_EQ(stat("/proc/self/ns/ipc", &after), 0);
  CHECK_EQ(before.st_ino, after.st_ino);
  CHECK_EQ(lines_in_proc(), 3);
  close(old);
  REMOVE_QUEUE(0);
  REMOVE_QUEUE(1);
}
