/*
 * SHM_REMAP puts the segment over what is mapped at the address, as many pages as the size needs;
 * with NULL it is EINVAL. Nothing need be mapped there. Another attachment below it is detached,
 * a part of one becomes what munmap() of that part makes of it.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(1) + 1), other = new_segment(pages(4));
  CHECK_ERRNO(shmat(id, NULL, SHM_REMAP), EINVAL);
  CHECK_ERRNO(shmat(id, NULL, SHM_REMAP | SHM_RND), EINVAL);
  CHECK_NATTCH(id, 0);

  /* Over private memory, two of its four pages. */
  char* at = mmap(NULL, pages(4), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(at, 'm', pages(4));
  CHECK(SHMAT(id, at + pages(1), SHM_REMAP) == at + pages(1));
  CHECK_BYTES(at, 'm', pages(1));
  CHECK_BYTES(at + pages(1), 0, pages(2));
  CHECK_BYTES(at + pages(3), 'm', pages(1));
  DETACH(at + pages(1));
  CHECK_LOAD(at + pages(1), SIGSEGV);
  CHECK_LOAD(at, 0);
  CHECK_EQ(munmap(at, pages(4)), 0);

  /* Over nothing. */
  CHECK(SHMAT(id, at, SHM_REMAP) == at);
  /* Over its own attachment: the old one goes, the new one comes. */
  CHECK(SHMAT(id, at, SHM_REMAP | SHM_RDONLY) == at);
  CHECK_NATTCH(id, 1);
  CHECK_LOAD(at, 0);
  CHECK_STORE(at, SIGSEGV);
  /* Over the whole of it. */
  CHECK(SHMAT(other, at, SHM_REMAP) == at);
  CHECK_NATTCH(id, 0);
  CHECK_NATTCH(other, 1);
  memset(at, 'o', pages(4));

  /* Into the middle: both ends of the other stay attached. */
  CHECK(SHMAT(id, at + pages(1), SHM_REMAP) == at + pages(1));
  CHECK_NATTCH(id, 1);
  CHECK_NATTCH(other, 2);
  CHECK_BYTES(at, 'o', pages(1));
  CHECK_BYTES(at + pages(1), 0, pages(2));
  CHECK_BYTES(at + pages(3), 'o', pages(1));

  /* The other one is detached in both parts; what lies between is not its. */
  DETACH(at);
  CHECK_NATTCH(other, 0);
  CHECK_NATTCH(id, 1);
  CHECK_LOAD(at, SIGSEGV);
  CHECK_LOAD(at + pages(3), SIGSEGV);
  CHECK_LOAD(at + pages(1), 0);
  DETACH(at + pages(1));
  CHECK_NATTCH(id, 0);

  /* A segment marked to be destroyed is, when all of it is covered. */
  CHECK(SHMAT(id, at, 0) == at);
  REMOVE_SEGMENT(id);
  CHECK(SHMAT(other, at, SHM_REMAP) == at);
  CHECK_DESTROYED(id);
  DETACH(at);
  REMOVE_SEGMENT(other);
}
