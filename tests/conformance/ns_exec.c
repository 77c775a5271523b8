/*
 * A program that is started is in the namespace of who starts it: by exec, posix_spawn, system and
 * popen, also with an environment of its own.
 */
#include "ns_check.h"
#include <spawn.h>

extern char** environ;

static unsigned long read_number(FILE* from) {
  unsigned long number = 0;
  CHECK_EQ(fscanf(from, "ipc:[%lu]", &number), 1);
  return number;
}

/* The number that a child writes to its standard output. */
static unsigned long number_of_child(void (*start)(int output)) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  start(ends[1]);
  close(ends[1]);
  FILE* from = fdopen(ends[0], "r");
  unsigned long number = read_number(from);
  fclose(from);
  return number;
}

static char* const command[] = {"readlink", "/proc/self/ns/ipc", NULL};

static void start_exec(int output) {
  pid_t child = fork_child();
  if (child == 0) {
    dup2(output, 1);
    execvp("readlink", command);
    _exit(1);
  }
  CHECK_CHILD(child);
}

static void start_spawn(int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  pid_t child;
  CHECK_EQ(posix_spawnp(&child, "readlink", &actions, NULL, command, environ), 0);
  CHECK_CHILD(child);
  posix_spawn_file_actions_destroy(&actions);
}

static unsigned long by_popen(void) {
  FILE* from = popen("readlink /proc/self/ns/ipc", "r");
  unsigned long number = read_number(from);
  CHECK_EQ(pclose(from), 0);
  return number;
}

static void check_children_are_here(void) {
  unsigned long own = OWN_NAMESPACE();
  CHECK_EQ(number_of_child(start_exec), (long long)own);
  CHECK_EQ(number_of_child(start_spawn), (long long)own);
  CHECK_EQ(by_popen(), (long long)own);
  char text[128];
  snprintf(text, sizeof text, "test \"$(readlink /proc/self/ns/ipc)\" = 'ipc:[%lu]'", own);
  CHECK_EQ(system(text), 0);
}

int main(void) {
  int first = open_namespace();
  unsigned long number = OWN_NAMESPACE();
  check_children_are_here();
  MOVE_TO_NEW();
  check_children_are_here();
  MOVE_TO_NEW();
  check_children_are_here();
  CHECK_EQ(setns(first, CLONE_NEWIPC), 0);
  CHECK_EQ(OWN_NAMESPACE(), (long long)number);
  check_children_are_here();
}
