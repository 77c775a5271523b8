/*
 * A segment and what is in it stay while nobody has it attached and its maker has gone, until
 * IPC_RMID. An unrelated process finds it by key or by the id that it was told.
 */
#include "shm_check.h"

enum { KEY = 0x10fd };

static int other_program(const char* what, int id) {
  CHECK_NATTCH(id, 0);
  if (strcmp(what, "by key") == 0) CHECK_EQ(shmget(KEY, 20000, 0600), id);
  char* p = ATTACH(id);
  CHECK_TEXT(p, "first");
  CHECK_TEXT(p + 19990, "last");
  if (strcmp(what, "by id") == 0) REMOVE_SEGMENT(id);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3) return other_program(argv[1], atoi(argv[2]));

  int* id = shared_memory(sizeof *id);
  pid_t maker = fork_child();
  if (maker == 0) {
    *id = CHECK_OK(shmget(KEY, 20000, IPC_CREAT | 0600));
    char* p = ATTACH(*id);
    strcpy(p, "first");
    strcpy(p + 19990, "last");
    _exit(0);
  }
  CHECK_CHILD(maker);
  const char* const ways[] = {"by key", "again by key", "by id"};
  for (int i = 0; i < 3; i++) {
    pid_t child = fork_child();
    if (child == 0) {
      char text[16];
      snprintf(text, sizeof text, "%d", *id);
      execl("/proc/self/exe", argv[0], ways[i], text, (char*)NULL);
      FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
    }
    CHECK_CHILD(child);
  }
  CHECK_DESTROYED(*id);
  CHECK_ERRNO(shmget(KEY, 0, 0), ENOENT);
}
