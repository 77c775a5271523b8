/* What the programs about IPC namespaces share, beside check.h. */
#ifndef CONFORMANCE_NS_CHECK_H
#define CONFORMANCE_NS_CHECK_H

#include "check.h"
#include <sched.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The number of a process's namespace, as its link in /proc names it. */
#define NAMESPACE_OF(path) namespace_at(__FILE__, __LINE__, (path))
static inline unsigned long namespace_at(const char* file, int line, const char* path) {
  char text[64];
  unsigned long number;
  char end;
  ssize_t size = readlink(path, text, sizeof text - 1);
  if (size < 0)
    fail_at(file, line, "readlink(%s): expected a text, got -1 %s", path, strerrorname_np(errno));
  text[size] = '\0';
  if (sscanf(text, "ipc:[%lu%c", &number, &end) != 2 || end != ']')
    fail_at(file, line, "readlink(%s): expected ipc:[NUMBER], got %s", path, text);
  return number;
}
#define OWN_NAMESPACE() NAMESPACE_OF("/proc/self/ns/ipc")

static inline int open_namespace(void) {
  return CHECK_OK(open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC));
}

/* Where that takes a privilege the program can't run. */
#define MOVE_TO_NEW() move_to_new(__FILE__, __LINE__)
static inline void move_to_new(const char* file, int line) {
  if (unshare(CLONE_NEWIPC) == 0) return;
  if (errno != EPERM)
    fail_at(file, line, "unshare(CLONE_NEWIPC): expected 0, got -1 %s", strerrorname_np(errno));
  SKIP("needs the right to unshare the IPC namespace");
}

static inline int pidfd_of(pid_t pid) { return CHECK_OK(syscall(SYS_pidfd_open, pid, 0)); }

#endif
