/*
 * An attachment marked MADV_DONTFORK is not the child's; of one that is marked in part the child
 * has the rest.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4));
  char* at = ATTACH(id);
  CHECK_EQ(madvise(at, pages(4), MADV_DONTFORK), 0);
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(id, 1);
    CHECK_LOAD(at, SIGSEGV);
    CHECK_ERRNO(shmdt(at), EINVAL);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_NATTCH(id, 1);
  CHECK_LPID(id, getpid());
  CHECK_STORE(at, 0);

  CHECK_EQ(madvise(at, pages(4), MADV_DOFORK), 0);
  CHECK_EQ(madvise(at + pages(1), pages(1), MADV_DONTFORK), 0);
  child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(id, 3 + 2);
    CHECK_LOAD(at, 0);
    CHECK_LOAD(at + pages(1), SIGSEGV);
    CHECK_LOAD(at + pages(2), 0);
    DETACH(at);
    CHECK_NATTCH(id, 3);
    CHECK_LOAD(at + pages(2), SIGSEGV);
    _exit(0);
  }
  CHECK_CHILD(child);
  DETACH(at);
  REMOVE_SEGMENT(id);
}
