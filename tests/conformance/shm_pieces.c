/*
 * nattch counts mappings: mprotect(), mlock() and madvise() of a part cut an attachment into
 * pieces, which count one by one and do not grow together again. shmdt() takes all of them.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(8));
  char* at = ATTACH(id);
  CHECK_EQ(mprotect(at, pages(8), PROT_READ), 0);
  CHECK_EQ(mprotect(at, pages(8), PROT_READ | PROT_WRITE), 0);
  CHECK_NATTCH(id, 1);
  CHECK_EQ(mprotect(at + pages(2), pages(1), PROT_READ), 0);
  CHECK_NATTCH(id, 3);
  CHECK_EQ(mprotect(at + pages(2), pages(1), PROT_READ | PROT_WRITE), 0);
  CHECK_NATTCH(id, 3);
  CHECK_EQ(mprotect(at, pages(8), PROT_NONE), 0);
  CHECK_NATTCH(id, 3);
  CHECK_EQ(mprotect(at, pages(8), PROT_READ | PROT_WRITE), 0);

  CHECK_EQ(madvise(at + pages(4), pages(2), MADV_DONTFORK), 0);
  CHECK_NATTCH(id, 5);
  CHECK_EQ(madvise(at + pages(4), pages(2), MADV_DOFORK), 0);
  CHECK_NATTCH(id, 5);
  if (mlock(at + pages(7), pages(1)) == 0) {
    CHECK_NATTCH(id, 6);
    CHECK_EQ(munlock(at + pages(7), pages(1)), 0);
    CHECK_NATTCH(id, 6);
    CHECK_EQ(munmap(at + pages(7), pages(1)), 0);
    CHECK_NATTCH(id, 5);
  }

  /* A child gets as many; each of the two has its own. */
  pid_t child = fork_child();
  if (child == 0) {
    CHECK_NATTCH(id, 10);
    DETACH(at);
    CHECK_NATTCH(id, 5);
    _exit(0);
  }
  CHECK_CHILD(child);
  CHECK_ERRNO(shmdt(at + pages(2)), EINVAL);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  for (size_t i = 0; i < 8; i++) CHECK_LOAD(at + pages(i), SIGSEGV);
  REMOVE_SEGMENT(id);
}
