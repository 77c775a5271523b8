/*
 * exec detaches all attachments, before the new program begins; its process is lpid. One that fails
 * detaches nothing. A segment marked to be destroyed is destroyed by the exec that detaches it
 * last.
 */
#include "shm_check.h"

static void exec_self(int id, const char* what) {
  char text[16];
  snprintf(text, sizeof text, "%d", id);
  execl("/proc/self/exe", "shm_exec", what, text, (char*)NULL);
  FAIL("execl: expected a new image, got %s", strerrorname_np(errno));
}

int main(int argc, char** argv) {
  if (argc == 3) {
    int id = atoi(argv[2]);
    if (strcmp(argv[1], "destroyed") == 0) {
      CHECK_DESTROYED(id);
      CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
      return 0;
    }
    CHECK_NATTCH(id, 1);
    CHECK_LPID(id, getpid());
    CHECK(stat_segment(id).shm_dtime != 0);
    char* p = ATTACH(id);
    CHECK_TEXT(p, "child");
    CHECK_NATTCH(id, 2);
    return 0;
  }

  int id = new_segment(pages(2));
  char* p = ATTACH(id);
  pid_t child = fork_child();
  if (child == 0) {
    ATTACH(id);
    SHMAT(id, NULL, SHM_RDONLY);
    CHECK_NATTCH(id, 4);
    CHECK_EQ(execl("/proc/self/no such program", "x", (char*)NULL), -1);
    CHECK_EQ(execl("/proc/self/maps", "x", (char*)NULL), -1);
    CHECK_NATTCH(id, 4);
    CHECK_EQ(munmap(p + pages(1), pages(1)), 0);
    strcpy(p, "child");
    exec_self(id, "attached");
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  CHECK_LPID(id, child);

  child = fork_child();
  if (child == 0) {
    DETACH(p);
    int own = new_segment(1);
    ATTACH(own);
    ATTACH(own);
    REMOVE_SEGMENT(own);
    CHECK_NATTCH(own, 2);
    exec_self(own, "destroyed");
  }
  CHECK_CHILD(child);
  DETACH(p);
  REMOVE_SEGMENT(id);
}
