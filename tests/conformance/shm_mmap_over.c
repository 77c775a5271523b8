/*
 * What mmap() with MAP_FIXED maps over an attachment detaches what it covers: all of it, or a part,
 * with nattch as after munmap(). MAP_FIXED_NOREPLACE meets EEXIST.
 */
#include "shm_check.h"

static void map_over(char* at, size_t size) {
  CHECK(mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        at);
}

int main(void) {
  int id = new_segment(pages(5));
  char* at = ATTACH(id);
  memset(at, 's', pages(5));
  CHECK_ERRNO(
      mmap(at, pages(1), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
      EEXIST);
  CHECK_NATTCH(id, 1);
  map_over(at, pages(5));
  CHECK_NATTCH(id, 0);
  CHECK_BYTES(at, 0, pages(5));
  CHECK_ERRNO(shmdt(at), EINVAL);
  CHECK_EQ(munmap(at, pages(5)), 0);

  CHECK(SHMAT(id, at, 0) == at);
  CHECK_BYTES(at, 's', pages(5));
  map_over(at + pages(2), pages(1));
  CHECK_NATTCH(id, 2);
  map_over(at, pages(1));
  CHECK_NATTCH(id, 2);
  memset(at, 'p', pages(1));
  DETACH(at);
  CHECK_NATTCH(id, 0);
  CHECK_BYTES(at, 'p', pages(1));
  CHECK_LOAD(at + pages(1), SIGSEGV);
  CHECK_LOAD(at + pages(2), 0);
  CHECK_EQ(munmap(at, pages(5)), 0);

  /* The last piece of a segment that is marked to be destroyed. */
  CHECK(SHMAT(id, at, 0) == at);
  REMOVE_SEGMENT(id);
  map_over(at, pages(4));
  CHECK_NATTCH(id, 1);
  map_over(at + pages(4), pages(1));
  CHECK_DESTROYED(id);
  CHECK_EQ(munmap(at, pages(5)), 0);
}
