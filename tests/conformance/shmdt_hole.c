/*
 * What was mapped into the hole of an attachment is not detached with it: neither private memory
 * nor a second attachment of the same segment, even when it lies where the first one had the same
 * page.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4)), small = new_segment(pages(1));
  char* at = free_pages(4);

  CHECK(SHMAT(id, at, 0) == at);
  CHECK_EQ(munmap(at + pages(1), pages(2)), 0);
  char* hole = mmap(at + pages(1), pages(1), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  *hole = 'h';
  CHECK(SHMAT(small, at + pages(2), 0) == at + pages(2));
  CHECK_NATTCH(id, 2);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  CHECK_NATTCH(small, 1);
  CHECK_EQ(*hole, 'h');
  CHECK_STORE(at + pages(2), 0);
  DETACH(at + pages(2));
  CHECK_EQ(munmap(hole, pages(1)), 0);

  /* A page of a second attachment, moved to where the first one had it. */
  CHECK(SHMAT(id, at, 0) == at);
  char* second = ATTACH(id);
  CHECK(mremap(second + pages(2), pages(1), pages(1), MREMAP_MAYMOVE | MREMAP_FIXED,
               at + pages(2)) == at + pages(2));
  CHECK_NATTCH(id, 2 + 3);
  DETACH(at);
  CHECK_NATTCH(id, 3);
  CHECK_LOAD(at + pages(3), SIGSEGV);
  CHECK_STORE(at + pages(2), 0);
  CHECK_STORE(second, 0);

  /* It is found as the only one that fits the address. */
  DETACH(at);
  CHECK_NATTCH(id, 2);
  CHECK_LOAD(at + pages(2), SIGSEGV);
  DETACH(second);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
  REMOVE_SEGMENT(small);
}
