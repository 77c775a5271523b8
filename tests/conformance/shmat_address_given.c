/*
 * shmat() at a given address: there and nowhere else. EINVAL when any of its pages is mapped
 * already, by whatever and with whatever rights; right beside other mappings it fits.
 */
#include "shm_check.h"

static void check_occupied(int id, char* at) {
  CHECK_ERRNO(shmat(id, at, 0), EINVAL);
  CHECK_ERRNO(shmat(id, at, SHM_RDONLY), EINVAL);
  CHECK_ERRNO(shmat(id, at + 1, SHM_RND), EINVAL);
  CHECK_NATTCH(id, 0);
}

int main(void) {
  int id = new_segment(pages(2) + 100);
  char* at = free_pages(9);
  CHECK(SHMAT(id, at, 0) == at);
  CHECK_STORE(at + pages(2) + 99, 0);
  DETACH(at);
  CHECK(SHMAT(id, at, SHM_RDONLY) == at);
  DETACH(at);

  /* A page without any right, at the start, the end, in the middle. */
  for (size_t i = 0; i < 3; i++) {
    char* other = at + pages(3 + i);
    CHECK(mmap(other, pages(1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          other);
    check_occupied(id, at + pages(3));
    CHECK_EQ(munmap(other, pages(1)), 0);
  }

  /* Between two. Of the last page, the segment has a part, and occupies all of it. */
  char* before = at + pages(2);
  char* after = at + pages(6);
  CHECK(mmap(before, pages(1), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        before);
  CHECK(mmap(after, pages(1), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == after);
  check_occupied(id, at + pages(1));
  check_occupied(id, at + pages(2));
  check_occupied(id, at + pages(4));
  check_occupied(id, at + pages(6));
  CHECK(SHMAT(id, at + pages(3), 0) == at + pages(3));

  /* Its own attachment is in the way, too. */
  CHECK_ERRNO(shmat(id, at + pages(3), 0), EINVAL);
  CHECK_ERRNO(shmat(id, at + pages(5), 0), EINVAL);
  CHECK_NATTCH(id, 1);
  DETACH(at + pages(3));
  CHECK_EQ(munmap(before, pages(1)), 0);
  CHECK_EQ(munmap(after, pages(1)), 0);

  /* The program itself, its stack, its heap. */
  int on_stack;
  check_occupied(id, (char*)((size_t)&main / pages(1) * pages(1)));
  check_occupied(id, (char*)((size_t)&on_stack / pages(1) * pages(1)));
  check_occupied(id, (char*)((size_t)malloc(1) / pages(1) * pages(1)));
  REMOVE_SEGMENT(id);
}
