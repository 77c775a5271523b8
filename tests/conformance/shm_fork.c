/*
 * A child inherits all attachments at their addresses: nattch counts them once more from fork() on,
 * the parent is lpid. Its detaching and its end leave the parent's as they are; of what the parent
 * attaches later it has nothing.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(100), later = new_segment(100);
  char* first = ATTACH(id);
  char* second = SHMAT(id, NULL, SHM_RDONLY);
  int* stage = shared_memory(sizeof *stage);

  pid_t child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(id, 4);
    CHECK_LPID(id, getppid());
    strcpy(first, "child");
    CHECK_STORE(second, SIGSEGV);
    announce(stage, 1);
    await(stage, 2);
    CHECK_TEXT(second, "parent");
    DETACH(first);
    CHECK_ERRNO(shmdt(first), EINVAL);
    CHECK_NATTCH(id, 3);
    CHECK_LPID(id, getpid());
    CHECK_NATTCH(later, 1);
    announce(stage, 3);
    await(stage, 4);
    CHECK_NATTCH(id, 2);
    CHECK_TEXT(second, "parent");
    _exit(0);
  }
  CHECK_NATTCH(id, 4);
  await(stage, 1);
  CHECK_TEXT(second, "child");
  strcpy(first, "parent");
  char* p = ATTACH(later);
  announce(stage, 2);
  await(stage, 3);
  CHECK_NATTCH(id, 3);
  CHECK_STORE(first, 0);
  DETACH(second);
  CHECK_LPID(id, getpid());
  announce(stage, 4);
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  CHECK_LPID(id, child);

  /* Grandchildren; a parent that has gone. */
  child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(id, 2);
    pid_t grandchild = fork_child();
    if (grandchild == 0) {
      CHECK_NATTCH(id, 3);
      DETACH(first);
      CHECK_NATTCH(id, 2);
      _exit(0);
    }
    CHECK_CHILD(grandchild);
    CHECK_LPID(id, grandchild);
    DETACH(p);
    CHECK_NATTCH(later, 1);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  DETACH(first);
  DETACH(p);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
  REMOVE_SEGMENT(later);
}
