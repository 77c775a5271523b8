/*
 * What all conformance programs share. Each program proves one behaviour of Linux through libc
 * alone and passes on the real kernel in a fresh IPC namespace, so exact ids may be asserted.
 *
 * Exit status: 0 passed, 1 failed (one line on stderr says what was expected and what came), 77
 * skipped (one line says why). A watchdog fails a program that runs for 20 seconds, and no child
 * outlives the program.
 */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WATCHDOG_SECONDS = 20, MAX_CHILDREN = 64 };

/* The children that this process has started and not yet reaped. */
static pid_t check_children[MAX_CHILDREN];

static inline void forget_child(pid_t pid) {
  for (int i = 0; i < MAX_CHILDREN; i++)
    if (check_children[i] == pid) check_children[i] = 0;
}

/* Ends the process at once and takes its children along. */
static inline _Noreturn void quit(int status) {
  for (int i = 0; i < MAX_CHILDREN; i++) {
    if (check_children[i] > 0) {
      kill(check_children[i], SIGKILL);
      waitpid(check_children[i], NULL, 0);
    }
  }
  _exit(status);
}

/* Prints one line in a single write, so that lines of several processes never mix. */
static inline void say(const char* file, int line, const char* verdict, const char* format,
                       va_list arguments) {
  char text[1024], where[1200];
  const char* name = strrchr(file, '/');
  vsnprintf(text, sizeof text, format, arguments);
  snprintf(where, sizeof where, "%s:%d: %s%s\n", name ? name + 1 : file, line, verdict, text);
  if (write(STDERR_FILENO, where, strlen(where)) < 0) return;
}

__attribute__((format(printf, 3, 4))) static inline _Noreturn void
fail_at(const char* file, int line, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(file, line, "", format, arguments);
  va_end(arguments);
  quit(1);
}

__attribute__((format(printf, 3, 4))) static inline _Noreturn void
skip_at(const char* file, int line, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say(file, line, "skipped: ", format, arguments);
  va_end(arguments);
  quit(77);
}

#define FAIL(...) fail_at(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) skip_at(__FILE__, __LINE__, __VA_ARGS__)

static inline void on_watchdog(int signal_number) {
  (void)signal_number;
  static const char text[] = "watchdog: expected to finish within 20 s, still running\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  quit(1);
}

/* Runs before main(); a child starts its own in fork_child(). */
__attribute__((constructor)) static inline void start_watchdog(void) {
  signal(SIGALRM, on_watchdog);
  alarm(WATCHDOG_SECONDS);
}

/* "5" or "-1 EINVAL" */
static inline const char* outcome(char* room, size_t size, long long value, int error) {
  const char* name = error ? strerrorname_np(error) : NULL;
  snprintf(room, size, value == -1 && name ? "%lld %s" : "%lld", value, name);
  return room;
}

static inline long long check_eq(const char* file, int line, const char* what, long long got,
                                 long long want) {
  char text[64];
  if (got != want)
    fail_at(file, line, "%s: expected %lld, got %s", what, want,
            outcome(text, sizeof text, got, errno));
  return got;
}

static inline long check_ok(const char* file, int line, const char* what, long got) {
  char text[64];
  if (got < 0)
    fail_at(file, line, "%s: expected success, got %s", what,
            outcome(text, sizeof text, got, errno));
  return got;
}

static inline void check_errno(const char* file, int line, const char* what, long got, int want) {
  char text[64];
  if (got != -1 || errno != want)
    fail_at(file, line, "%s: expected -1 %s, got %s", what, strerrorname_np(want),
            outcome(text, sizeof text, got, errno));
}

/* Each macro evaluates its arguments once. */
#define CHECK(condition)                                                                           \
  ((condition) ? (void)0 : FAIL("expected %s, which does not hold", #condition))
#define CHECK_EQ(expression, want)                                                                 \
  (errno = 0, check_eq(__FILE__, __LINE__, #expression, (long long)(expression), (want)))
/* The call must not fail; gives its value. */
#define CHECK_OK(call) (errno = 0, check_ok(__FILE__, __LINE__, #call, (long)(call)))
/* The call must return -1 and set errno so. */
#define CHECK_ERRNO(call, want)                                                                    \
  (errno = 0, check_errno(__FILE__, __LINE__, #call, (long)(call), (want)))

/* fork() whose child has a watchdog of its own and is killed if this process fails. */
static inline pid_t fork_child(void) {
  pid_t pid = fork();
  if (pid < 0) FAIL("fork: expected a child, got -1 %s", strerrorname_np(errno));
  if (pid == 0) {
    memset(check_children, 0, sizeof check_children);
    start_watchdog();
    return 0;
  }
  for (int i = 0; i < MAX_CHILDREN; i++) {
    if (check_children[i] == 0) {
      check_children[i] = pid;
      return pid;
    }
  }
  FAIL("fork_child: expected at most %d children at a time", MAX_CHILDREN);
}

/* Reaps a child that must have exited with 0. A child that failed has already printed its line. */
#define CHECK_CHILD(pid) check_child(__FILE__, __LINE__, (pid))
static inline void check_child(const char* file, int line, pid_t pid) {
  int status = 0;
  pid_t reaped;
  while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  forget_child(pid);
  if (reaped != pid)
    fail_at(file, line, "child %d: expected to reap it, waitpid gave %d", pid, reaped);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) quit(77);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) quit(1);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail_at(file, line, "child %d: expected exit status 0, got wait status 0x%x", pid, status);
}

/* Kills a child that must still be alive, and reaps it. */
#define KILL_CHILD(pid) kill_child(__FILE__, __LINE__, (pid))
static inline void kill_child(const char* file, int line, pid_t pid) {
  int status = 0;
  kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  forget_child(pid);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    fail_at(file, line, "child %d: expected alive until SIGKILL, got wait status 0x%x", pid,
            status);
}

/* Returns when the child is a zombie, which it stays. */
static inline void await_zombie(pid_t pid) {
  siginfo_t info;
  while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0)
    if (errno != EINTR) FAIL("waitid %d: expected a zombie, got %s", pid, strerrorname_np(errno));
}

/* Kills a child; returns when it is a zombie, which it stays. */
static inline void kill_to_zombie(pid_t pid) {
  kill(pid, SIGKILL);
  await_zombie(pid);
}

/* The letter that /proc shows for a process or thread, 0 when there is none. */
static inline char task_state(pid_t tid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  text[length > 0 ? length : 0] = '\0';
  const char* after_name = strrchr(text, ')');
  return after_name ? after_name[2] : 0;
}

static inline void sleep_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) < 0 && errno == EINTR) continue;
}

/*
 * Waits until a child (or thread) sleeps in the call that it is about to make, and fails if it ends
 * instead. "Sleeps" is five looks at 'S' in a row, 1 ms apart: true of the kernel's own wait and of
 * a futex, and unlike a short wait for a lock. Called again, it proves that the child has gone back
 * to sleep, or was never woken.
 */
#define PAUSE_UNTIL_BLOCKED(tid) pause_until_blocked(__FILE__, __LINE__, (tid))
static inline void pause_until_blocked(const char* file, int line, pid_t tid) {
  for (int looks = 0; looks < 5; looks++) {
    char state = task_state(tid);
    if (state == 'Z' || state == 0) {
      int status = 0;
      if (waitpid(tid, &status, 0) == tid) {
        forget_child(tid);
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0) quit(WEXITSTATUS(status));
      }
      fail_at(file, line, "task %d: expected asleep in the call, but it has ended", (int)tid);
    }
    if (state != 'S') looks = -1;
    sleep_ms(1);
  }
}

/* Memory that children share with their parent, zeroed. */
static inline void* shared_memory(size_t size) {
  void* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) FAIL("mmap: expected shared memory, got %s", strerrorname_np(errno));
  return memory;
}

/* Two sides take turns over a word of shared memory: one announces a stage, the other awaits it. */
static inline void announce(int* word, int stage) {
  __atomic_store_n(word, stage, __ATOMIC_SEQ_CST);
}

static inline void await(int* word, int stage) {
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != stage) sleep_ms(1);
}

/* The first byte that cannot be accessed; the page before it can. */
static inline char* end_of_memory(void) {
  long page = sysconf(_SC_PAGESIZE);
  char* memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0)
    FAIL("mmap: expected two pages, got %s", strerrorname_np(errno));
  return memory + page;
}

/* Root of a namespace that knows all users: not of one that maps a single user to 0. */
static inline bool can_become_others(void) {
  unsigned inside = 1, outside = 1, count = 0;
  FILE* map = fopen("/proc/self/uid_map", "r");
  if (map && fscanf(map, "%u %u %u", &inside, &outside, &count) != 3) count = 0;
  if (map) fclose(map);
  return geteuid() == 0 && count == UINT_MAX;
}

#define NEED_ROOT()                                                                                \
  do {                                                                                             \
    if (!can_become_others()) SKIP("needs root, to become other users");                           \
  } while (0)

/* For a child of root: becomes uid and gid for good, with one supplementary group (or none: 0). */
static inline void become(uid_t uid, gid_t gid, gid_t supplementary) {
  if (setgroups(supplementary ? 1 : 0, &supplementary) != 0 || setresgid(gid, gid, gid) != 0 ||
      setresuid(uid, uid, uid) != 0)
    FAIL("become %u:%u: expected success, got %s", uid, gid, strerrorname_np(errno));
}

/* Whether a capability is in the effective set (of root in a user namespace it is, yet for little).
 */
static inline bool has_capability(int capability) {
  char line[256];
  unsigned long long set = 0;
  FILE* status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "CapEff: %llx", &set) == 1) break;
  if (status) fclose(status);
  return set >> capability & 1;
}

/* Returns just after the wall clock's second has changed: an earlier stamp now differs. */
static inline time_t next_second(void) {
  time_t now = time(NULL);
  while (time(NULL) == now) sleep_ms(1);
  return time(NULL);
}

/* The whole of a small file, as text. */
static inline void read_text(const char* path, char* text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) FAIL("open %s: expected success, got %s", path, strerrorname_np(errno));
  size_t length = 0;
  ssize_t got;
  while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0) length += got;
  text[length] = '\0';
  close(fd);
}

/* Texts must be equal; a difference is told by the first line that differs. */
#define CHECK_TEXT(got, want) check_text(__FILE__, __LINE__, (got), (want))
static inline void check_text(const char* file, int line, const char* got, const char* want) {
  size_t same = 0, start = 0;
  for (; got[same] == want[same]; same++) {
    if (got[same] == '\0') return;
    if (got[same] == '\n') start = same + 1;
  }
  fail_at(file, line, "text from byte %zu on: expected \"%.*s\", got \"%.*s\"", start,
          (int)strcspn(want + start, "\n"), want + start, (int)strcspn(got + start, "\n"),
          got + start);
}

#endif
