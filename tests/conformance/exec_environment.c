/*
 * A program is in the IPC namespace of the one that started it, whatever environment it is given.
 */
#include "process_check.h"
#include <sys/syscall.h>

static const char* path;
static char* const arguments[] = {"program", "started", NULL};

typedef void (*start_call)(char** environment);

static void by_execve(char** environment) { execve(path, arguments, environment); }
static void by_execvpe(char** environment) { execvpe(path, arguments, environment); }
static void by_execle(char** environment) {
  execle(path, "program", "started", (char*)NULL, environment);
}
static void by_fexecve(char** environment) {
  fexecve(open(path, O_RDONLY | O_CLOEXEC), arguments, environment);
}
static void by_execveat(char** environment) { execveat(AT_FDCWD, path, arguments, environment, 0); }
static void by_number(char** environment) { syscall(SYS_execve, path, arguments, environment); }
static void by_execv(char** environment) {
  environ = environment;
  execv(path, arguments);
}
static void by_execl(char** environment) {
  environ = environment;
  execl(path, "program", "started", (char*)NULL);
}
static void by_clearenv(char** environment) {
  clearenv();
  for (; environment && *environment; environment++) putenv(*environment);
  execvp(path, arguments);
}

static void check_start(start_call start, char** environment) {
  pid_t child = fork_child();
  if (child == 0) {
    start(environment);
    FAIL("exec: %s", strerrorname_np(errno));
  }
  CHECK_FOUND_BY(child);
}

/* More variables than fit where a few do. */
static char** many(void) {
  enum { COUNT = 2000 };
  static char texts[COUNT][16];
  static char* entries[COUNT + 1];
  for (int i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "NAME%d=%d", i, i);
    entries[i] = texts[i];
  }
  return entries;
}

/* What the program has in its environment is its own text by then. */
static void scribble(void) {
  for (char** entry = environ; *entry; entry++) memset(*entry, 'x', strlen(*entry));
}

int main(int argc, char** argv) {
  (void)argv;
  look_if_started(argc);
  path = own_path();
  make_queue();
  static const start_call calls[] = {by_execve, by_execvpe, by_execle, by_fexecve, by_execveat,
                                     by_number, by_execv,   by_execl,  by_clearenv};
  char* empty[] = {NULL};
  char* own[] = {"PATH=/bin", "HOME=/", "L=x", "I=x", NULL};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    check_start(calls[i], empty);
    check_start(calls[i], own);
    check_start(calls[i], many());
    if (calls[i] != by_fexecve) check_start(calls[i], NULL);
  }
  CHECK_ERRNO(fexecve(0, arguments, NULL), EINVAL);
  scribble();
  check_start(by_execve, empty);
  check_start(by_execv, environ);
}
