/*
 * For programs about new processes: whether one that was started is in the namespace of its
 * starter, which has a queue of the key KEY there.
 */
#ifndef CONFORMANCE_PROCESS_CHECK_H
#define CONFORMANCE_PROCESS_CHECK_H

#include "check.h"
#include <sys/msg.h>

enum { KEY = 0x70636b31, FOUND = 23 };

/* The program's own path: an emptied environment has none, and a shell does not know ours. */
static inline const char* own_path(void) {
  static char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length < 0) FAIL("readlink /proc/self/exe: %s", strerrorname_np(errno));
  path[length] = '\0';
  return path;
}

/* At the begin of main(): a program that was started with an argument ends here, with FOUND. */
static inline void look_if_started(int argc) {
  if (argc < 2) return;
  errno = 0;
  int id = msgget(KEY, 0);
  if (id == 0) quit(FOUND);
  FAIL("msgget in the started program: expected 0, got %d %s", id,
       errno != 0 ? strerrorname_np(errno) : "");
}

static inline void make_queue(void) { CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0); }

#define CHECK_FOUND(status) check_found(__FILE__, __LINE__, (status))
static inline void check_found(const char* file, int line, int status) {
  if (!WIFEXITED(status) || WEXITSTATUS(status) != FOUND)
    fail_at(file, line, "started program: expected it to find the queue, got wait status 0x%x",
            status);
}

/* Reaps a child that must have found the queue. */
#define CHECK_FOUND_BY(pid) check_found_by(__FILE__, __LINE__, (pid))
static inline void check_found_by(const char* file, int line, pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) fail_at(file, line, "child %d: expected to reap it", pid);
  forget_child(pid);
  check_found(file, line, status);
}

#endif
