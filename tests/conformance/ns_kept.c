/*
 * A namespace stays while a process is in it that others can't see: it was started there and has
 * overwritten its environment, and others come from a pid namespace of their own, or have no /proc.
 */
#include "ns_check.h"
#include <string.h>
#include <sys/mount.h>

enum { KEY = 0x6e5a };

extern char** environ;

/* As programs do that show their state in ps(1). */
static void overwrite_environment(void) {
  for (char** entry = environ; *entry != NULL; entry++) memset(*entry, 0, strlen(*entry));
  environ = NULL;
}

static void be_started(const char* word) {
  int* stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(word), 0);
  CHECK(stage != MAP_FAILED);
  overwrite_environment();
  announce(stage, 1);
  await(stage, 2);
  CHECK_EQ(msgget(KEY, 0), 0);
}

/* Namespaces come and go: what nobody is in is removed then. */
static void come_and_go(void) {
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_EQ(unshare(CLONE_NEWIPC), 0);
    CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
    _exit(0);
  }
  CHECK_CHILD(child);
}

int main(int argc, char** argv) {
  if (argc == 2) {
    be_started(argv[1]);
    return 0;
  }
  int memory = CHECK_OK(memfd_create("stage", 0));
  int* stage;
  CHECK_OK(ftruncate(memory, sizeof *stage));
  stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  CHECK(stage != MAP_FAILED);
  pid_t hidden = fork_child();
  if (hidden == 0) {
    if (unshare(CLONE_NEWIPC) != 0) announce(stage, 9);
    if (*stage == 9) _exit(errno == EPERM ? 77 : 1);
    CHECK_EQ(msgget(KEY, IPC_CREAT | 0600), 0);
    char word[16];
    snprintf(word, sizeof word, "%d", memory);
    CHECK_OK(execl("/proc/self/exe", "ns_kept", word, (char*)NULL));
  }
  while (*(volatile int*)stage == 0) sleep_ms(1);
  if (*stage == 9) SKIP("needs the right to unshare the IPC namespace");
  come_and_go();
  pid_t apart = fork_child();
  if (apart == 0) {
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) _exit(errno == EPERM ? 0 : 1);
    CHECK_OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    pid_t first = fork_child();
    if (first == 0) {
      come_and_go();
      if (mount("none", "/proc", "proc", 0, NULL) == 0) come_and_go();
      if (mount("none", "/proc", "tmpfs", 0, NULL) == 0) come_and_go();
      _exit(0);
    }
    CHECK_CHILD(first);
    _exit(0);
  }
  CHECK_CHILD(apart);
  announce(stage, 2);
  CHECK_CHILD(hidden);
}
