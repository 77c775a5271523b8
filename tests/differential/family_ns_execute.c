// Makes the calls that are about IPC namespaces. Their numbers are nobody's business: which of
// those that can be seen from here are the same is told, by the order in which they are looked at.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family_ns.h"

// Where the kept descriptors are: far from the numbers that new ones get.
enum { kFirstKept = 210, kPathSize = 64, kMostSeen = 64, kOwnKey = 7, kStackSize = 65536 };

static int kept_fd(const Request* request) { return kFirstKept + (int)request->arg[0]; }

static int64_t set_namespace(const Request* request, int fd, int types) {
  return request->raw ? syscall(SYS_setns, fd, types) : setns(fd, types);
}

// ---- Descriptors

static int open_in_folder(int pid, int flags) {
  char path[kPathSize];
  snprintf(path, sizeof(path), "/proc/%d/ns", pid);
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -1;
  const int fd = openat(folder, "ipc", flags);
  const int error = errno;
  close(folder);
  errno = error;
  return fd;
}

static int open_path(const Request* request, int flags) {
  char path[kPathSize];
  const int pid = shared->slots[request->arg[2]].pid;
  switch (request->arg[1]) {
    case kNsOwn: return open("/proc/self/ns/ipc", flags);
    case kNsOwnThread: return open("/proc/thread-self/ns/ipc", flags);
    case kNsInFolder: return open_in_folder(pid, flags);
    default: snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid); return open(path, flags);
  }
}

// Puts the descriptor into its slot. 0 or -1.
static int64_t keep(const Request* request, int fd, bool closes) {
  if (fd < 0) return -1;
  const int got = dup3(fd, kept_fd(request), closes ? O_CLOEXEC : 0);
  close(fd);
  errno = 0;
  return got < 0 ? -1 : 0;
}

static void execute_join(const Request* request, Reply* reply) {
  const int pidfd = (int)syscall(SYS_pidfd_open, shared->slots[request->arg[2]].pid, 0);
  reply->ret = set_namespace(request, pidfd, (int)request->arg[1]);
  reply->error = errno;
  close(pidfd);
  errno = reply->error;
}

// ---- Which are the same

typedef struct Seen {
  ino_t number[kMostSeen];
  int count;
} Seen;

static void add_namespace(Text* text, Seen* seen, ino_t number) {
  int at = 0;
  while (at < seen->count && seen->number[at] != number) at++;
  if (at == seen->count && seen->count < kMostSeen) seen->number[seen->count++] = number;
  text_add(text, " %d", at);
}

// The link says the same as the status.
static void add_path(Text* text, Seen* seen, const char* path) {
  struct stat status;
  char link[kPathSize] = "", expected[kPathSize];
  if (stat(path, &status) != 0 || readlink(path, link, sizeof(link) - 1) < 0) {
    text_add(text, " %s", error_name(errno));
    return;
  }
  snprintf(expected, sizeof(expected), "ipc:[%lu]", (unsigned long)status.st_ino);
  if (strcmp(link, expected) != 0) text_add(text, " (%s is %s)", link, expected);
  add_namespace(text, seen, status.st_ino);
}

static void add_kept(Text* text, Seen* seen, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0)
    text_add(text, " %s", errno == EBADF ? "-" : error_name(errno));
  else
    add_namespace(text, seen, status.st_ino);
}

static void compare(Reply* reply, Text* text) {
  char path[kPathSize];
  Seen seen = {.count = 0};
  text_add(text, " own");
  add_path(text, &seen, "/proc/self/ns/ipc");
  add_path(text, &seen, "/proc/thread-self/ns/ipc");
  text_add(text, " kept");
  for (int slot = 0; slot < kPlaceSlots; slot++) add_kept(text, &seen, kFirstKept + slot);
  text_add(text, " workers");
  for (int i = 0; i <= kMaxWorkers && shared->slots[i].pid != 0; i++) {
    snprintf(path, sizeof(path), "/proc/%d/ns/ipc", shared->slots[i].pid);
    add_path(text, &seen, path);
  }
  text_add(text, " driver");
  snprintf(path, sizeof(path), "/proc/%d/ns/ipc", shared->driver);
  add_path(text, &seen, path);
  reply->ret = 0;
  errno = 0;
}

// ---- Children

// What a child finds around it: how many queues, whether one of that key, in whose namespace.
static void look_around(Text* text, pid_t parent) {
  char path[kPathSize];
  Seen seen = {.count = 0};
  struct msginfo info;
  const int highest = msgctl(0, MSG_INFO, (struct msqid_ds*)(void*)&info);
  text_add(text, " highest %d queues %d messages %d", highest, info.msgpool, info.msgmap);
  text_add(text, " own");
  add_path(text, &seen, "/proc/self/ns/ipc");
  text_add(text, " parent's");
  snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)parent);
  add_path(text, &seen, path);
}

static void live(const Request* request, pid_t parent, Text* text) {
  if (request->arg[1] == kNsChildEnters)
    text_add(text, " setns %" PRId64, set_namespace(request, kept_fd(request), 0));
  else if (request->arg[1] != kNsChildCloned)
    text_add(text, " unshare %d", unshare(CLONE_NEWIPC));
  if (request->arg[1] != kNsChildEnters)
    text_add(text, " queue %d", msgget(kOwnKey, IPC_CREAT | IPC_EXCL | 0600));
  look_around(text, parent);
}

typedef struct Child {
  const Request* request;
  Text* text;
  pid_t parent;
  int ready;  // the pipe's end that says it is
} Child;

static int be_child(void* context) {
  const Child* child = context;
  live(child->request, child->parent, child->text);
  switch (child->request->arg[1]) {
    case kNsChildDies: kill(getpid(), SIGKILL); break;
    case kNsChildKept:
      if (write(child->ready, "", 1) == 1) pause();
      break;
    default: break;
  }
  _exit(0);
}

static pid_t start_child(Child* child) {
  static char stack[kStackSize] __attribute__((aligned(16)));
  if (child->request->arg[1] == kNsChildCloned)
    return clone(be_child, stack + kStackSize, CLONE_NEWIPC | SIGCHLD, child);
  const pid_t pid = fork();
  if (pid == 0) be_child(child);
  return pid;
}

static void keep_its_namespace(const Request* request, int ready, pid_t pid, Reply* reply) {
  char path[kPathSize], byte;
  while (read(ready, &byte, 1) < 0 && errno == EINTR) continue;
  snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)pid);
  reply->ret = keep(request, open(path, O_RDONLY | O_CLOEXEC), true);
  reply->error = errno;
  kill(pid, SIGKILL);
}

// The child's text is in memory that it shares with its parent; who is killed leaves its pid there.
static void execute_child(const Request* request, Reply* reply, Text* text) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) abort();
  Text of_child = *text;
  Child child = {request, &of_child, getpid(), ends[1]};
  const pid_t pid = start_child(&child);
  reply->ret = pid < 0 ? -1 : 0;
  reply->error = errno;
  close(ends[1]);
  if (pid > 0) {
    int status = 0;
    reply->error = 0;
    shared_name_child(pid, request->worker);
    if (request->arg[1] == kNsChildKept) keep_its_namespace(request, ends[0], pid, reply);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    text->at += strlen(text->at);
    text_add(text, " status %#x", (unsigned)status);
  }
  close(ends[0]);
  errno = reply->error;
}

void ns_execute(const Request* request, const Scratch* scratch, Reply* reply) {
  (void)scratch;
  Text text = text_over(reply->text, sizeof(reply->text));
  errno = 0;
  switch (request->op) {
    case kNsUnshare:
      reply->ret =
          request->raw ? syscall(SYS_unshare, (int)request->arg[1]) : unshare((int)request->arg[1]);
      break;
    case kNsOpen:
      reply->ret = keep(request, open_path(request, O_RDONLY | (request->arg[3] ? O_CLOEXEC : 0)),
                        request->arg[3]);
      break;
    case kNsClose: reply->ret = close(kept_fd(request)); break;
    case kNsSetns:
      reply->ret = set_namespace(request, kept_fd(request), (int)request->arg[1]);
      break;
    case kNsJoin: execute_join(request, reply); break;
    case kNsChild: execute_child(request, reply, &text); break;
    default: compare(reply, &text);
  }
  reply->error = errno;
}
