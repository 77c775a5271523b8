/*
 * The same of those that libc starts: system(3), popen(3), wordexp(3), posix_spawn(3), by a program
 * that has thrown its environment away. What it has of it is not changed by them.
 */
#include "process_check.h"
#include <spawn.h>
#include <wordexp.h>

static char command[PATH_MAX + 32];

static void check_system(void) {
  int status = system(command);
  CHECK_FOUND(status);
}

static void check_popen(void) {
  FILE* output = popen(command, "r");
  CHECK(output != NULL);
  while (fgetc(output) != EOF) continue;
  CHECK_FOUND(pclose(output));
}

static void check_wordexp(void) {
  char words[PATH_MAX + 64];
  snprintf(words, sizeof words, "$(%s; echo $?)", command);
  wordexp_t expanded;
  CHECK_EQ(wordexp(words, &expanded, 0), 0);
  CHECK_EQ(expanded.we_wordc, 1);
  CHECK_EQ(atoi(expanded.we_wordv[0]), FOUND);
  wordfree(&expanded);
}

static void check_spawn(void) {
  char* arguments[] = {"program", "started", NULL};
  char* empty[] = {NULL};
  char** environments[] = {environ, empty, NULL};
  for (int i = 0; i < 3; i++) {
    pid_t child;
    CHECK_EQ(posix_spawn(&child, own_path(), NULL, NULL, arguments, environments[i]), 0);
    CHECK_FOUND_BY(child);
    CHECK_EQ(posix_spawnp(&child, own_path(), NULL, NULL, arguments, environments[i]), 0);
    CHECK_FOUND_BY(child);
  }
}

static void check_all(void) {
  check_system();
  check_popen();
  check_wordexp();
  check_spawn();
}

int main(int argc, char** argv) {
  (void)argv;
  look_if_started(argc);
  snprintf(command, sizeof command, "%s started", own_path());
  make_queue();

  static char variable[] = "A=1";
  static char* own[] = {variable, NULL};
  environ = own;
  check_all();
  CHECK(environ == own && own[0] == variable && own[1] == NULL);
  CHECK_EQ(system("test $A = 1"), 0);

  environ = NULL;
  check_all();
  CHECK(environ == NULL);

  clearenv();
  check_all();
  CHECK(environ == NULL || environ[0] == NULL);

  CHECK_EQ(setenv("B", "2", 1), 0);
  check_all();
  CHECK_EQ(system("test $B = 2"), 0);
  CHECK(environ[0] != NULL && environ[1] == NULL);
}
