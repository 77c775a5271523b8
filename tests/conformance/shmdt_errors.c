/*
 * shmdt() takes the address that shmat() gave: EINVAL for one inside the attachment, beside it, no
 * multiple of a page, of another mapping, a second time. No other attachment is touched.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4));
  char* at = ATTACH(id);
  char* other = ATTACH(id);
  CHECK_ERRNO(shmdt(at + 1), EINVAL);
  CHECK_ERRNO(shmdt(at + pages(1) - 1), EINVAL);
  for (size_t i = 1; i < 4; i++) CHECK_ERRNO(shmdt(at + pages(i)), EINVAL);
  char* lower = at < other ? at : other;
  CHECK_ERRNO(shmdt(lower - pages(1)), EINVAL);

  char* private = mmap(NULL, pages(4), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* shared = shared_memory(pages(4));
  int on_stack;
  CHECK_ERRNO(shmdt(private), EINVAL);
  CHECK_ERRNO(shmdt(shared), EINVAL);
  CHECK_ERRNO(shmdt((void*)((size_t)&on_stack / pages(1) * pages(1))), EINVAL);
  CHECK_ERRNO(shmdt(NULL), EINVAL);
  CHECK_ERRNO(shmdt((void*)-1), EINVAL);
  CHECK_ERRNO(shmdt((void*)-pages(1)), EINVAL);
  CHECK_ERRNO(shmdt((void*)pages(1)), EINVAL);
  CHECK_LOAD(private, 0);
  CHECK_LOAD(shared, 0);

  CHECK_NATTCH(id, 2);
  DETACH(at);
  CHECK_NATTCH(id, 1);
  CHECK_LOAD(at, SIGSEGV);
  CHECK_LOAD(at + pages(4) - 1, SIGSEGV);
  CHECK_STORE(other, 0);
  CHECK_ERRNO(shmdt(at), EINVAL);
  CHECK_NATTCH(id, 1);
  DETACH(other);
  CHECK_ERRNO(shmdt(other), EINVAL);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
  CHECK_EQ(munmap(private, pages(4)), 0);
}
