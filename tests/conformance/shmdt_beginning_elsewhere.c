/*
 * shmdt() does not ask where shmat() had attached, but which mapping's first page would lie there:
 * a piece that was moved is detached by its own beginning, counted back from the page that it
 * starts with.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4));
  char* target = free_pages(8);
  char* at = ATTACH(id);

  /* All of it. */
  CHECK(mremap(at, pages(4), pages(4), MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
  CHECK_NATTCH(id, 1);
  CHECK_ERRNO(shmdt(at), EINVAL);
  DETACH(target);
  CHECK_NATTCH(id, 0);

  /* Its third page: it would begin two pages before. */
  at = ATTACH(id);
  char* moved = target + pages(5);
  at[pages(2)] = 'm';
  CHECK(mremap(at + pages(2), pages(1), pages(1), MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
  CHECK_EQ(*moved, 'm');
  CHECK_NATTCH(id, 3);
  CHECK_LOAD(at + pages(2), SIGSEGV);
  CHECK_ERRNO(shmdt(moved), EINVAL);
  DETACH(moved - pages(2));
  CHECK_NATTCH(id, 2);
  CHECK_LOAD(moved, SIGSEGV);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
}
