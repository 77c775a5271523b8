/*
 * munmap() of all of an attachment detaches it, and shmdt() finds nothing; what another mapping has
 * put in the place stays. Of a part: the rest stays attached, each piece counts by itself in
 * nattch, and shmdt() of the address where the attachment began takes all pieces, even if its first
 * page is gone.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(6));
  char* at = ATTACH(id);
  CHECK_EQ(munmap(at, pages(6)), 0);
  CHECK_NATTCH(id, 0);
  CHECK_ERRNO(shmdt(at), EINVAL);

  /* Another mapping in its place. */
  CHECK(SHMAT(id, at, 0) == at);
  CHECK_EQ(munmap(at, pages(6)), 0);
  CHECK(mmap(at, pages(6), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
  CHECK_ERRNO(shmdt(at), EINVAL);
  CHECK_LOAD(at, 0);
  CHECK_EQ(munmap(at, pages(6)), 0);

  /* The end is gone. */
  CHECK(SHMAT(id, at, 0) == at);
  CHECK_EQ(munmap(at + pages(4), pages(2)), 0);
  CHECK_NATTCH(id, 1);
  CHECK_LOAD(at + pages(4), SIGSEGV);
  CHECK_STORE(at, 0);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  CHECK_LOAD(at, SIGSEGV);

  /* The start is gone: the rest does not begin where it is. */
  CHECK(SHMAT(id, at, 0) == at);
  CHECK_EQ(munmap(at, pages(2)), 0);
  CHECK_NATTCH(id, 1);
  CHECK_ERRNO(shmdt(at + pages(2)), EINVAL);
  CHECK_STORE(at + pages(2), 0);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  CHECK_LOAD(at + pages(2), SIGSEGV);
  CHECK_ERRNO(shmdt(at), EINVAL);

  /* Holes in the middle. */
  CHECK(SHMAT(id, at, 0) == at);
  CHECK_EQ(munmap(at + pages(1), pages(1)), 0);
  CHECK_NATTCH(id, 2);
  CHECK_EQ(munmap(at + pages(4), pages(1)), 0);
  CHECK_NATTCH(id, 3);
  CHECK_ERRNO(shmdt(at + pages(2)), EINVAL);
  CHECK_ERRNO(shmdt(at + pages(5)), EINVAL);
  CHECK_STORE(at, 0);
  CHECK_STORE(at + pages(2), 0);
  CHECK_STORE(at + pages(5), 0);
  /* The first piece, too. */
  CHECK_EQ(munmap(at, pages(1)), 0);
  CHECK_NATTCH(id, 2);
  DETACH(at);
  CHECK_NATTCH(id, 0);
  CHECK_LOAD(at + pages(2), SIGSEGV);
  CHECK_LOAD(at + pages(5), SIGSEGV);
  REMOVE_SEGMENT(id);
}
