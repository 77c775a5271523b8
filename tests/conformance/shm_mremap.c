/*
 * mremap() of an attachment: moved, it stays one; shrunk, too. Grown, it has pages behind the
 * segment's end, which are SIGBUS. With an old size of 0 it is doubled: one attachment more.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(3) + 5);
  char* at = free_pages(8);
  char* target = free_pages(24) + pages(8);
  CHECK(SHMAT(id, at, 0) == at);
  strcpy(at + pages(3), "text");

  /* Moved. */
  CHECK(mremap(at, pages(4), pages(4), MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
  CHECK_NATTCH(id, 1);
  CHECK_TEXT(target + pages(3), "text");
  CHECK_LOAD(at, SIGSEGV);
  CHECK_ERRNO(shmdt(at), EINVAL);

  /* Grown. */
  CHECK(mremap(target, pages(4), pages(6), 0) == target);
  CHECK_NATTCH(id, 1);
  CHECK_STORE(target + pages(4) - 1, 0);
  CHECK_LOAD(target + pages(4), SIGBUS);
  CHECK_LOAD(target + pages(6) - 1, SIGBUS);
  CHECK_EQ(stat_segment(id).shm_segsz, pages(3) + 5);

  /* Shrunk: below the segment's size, and grown again. */
  CHECK(mremap(target, pages(6), pages(2), 0) == target);
  CHECK_NATTCH(id, 1);
  CHECK_LOAD(target + pages(2), SIGSEGV);
  CHECK(mremap(target, pages(2), pages(4), 0) == target);
  CHECK_TEXT(target + pages(3), "text");

  /* Doubled. */
  CHECK(mremap(target, 0, pages(4), MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
  CHECK_NATTCH(id, 2);
  strcpy(target, "both");
  CHECK_TEXT(at, "both");

  /* Over another attachment, which is so detached. */
  CHECK(mremap(target, pages(4), pages(4), MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
  CHECK_NATTCH(id, 1);
  CHECK_TEXT(at, "both");
  DETACH(at);
  CHECK_NATTCH(id, 0);

  /* Longer than the segment, it is detached as a whole nevertheless. */
  CHECK(SHMAT(id, target, 0) == target);
  CHECK(mremap(target, pages(4), pages(8), 0) == target);
  DETACH(target);
  CHECK_LOAD(target + pages(7), SIGSEGV);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
}
