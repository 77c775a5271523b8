/*
 * Advice about an attachment is about shared memory: MADV_DONTNEED loses nothing, MADV_REMOVE
 * zeroes the pages for all, msync() and mincore() work. MADV_REMOVE needs the right to write.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(pages(4));
  char* p = ATTACH(id);
  char* q = SHMAT(id, NULL, SHM_RDONLY);
  memset(p, 'x', pages(4));
  CHECK_EQ(madvise(p, pages(4), MADV_DONTNEED), 0);
  CHECK_BYTES(p, 'x', pages(4));
  CHECK_EQ(madvise(p, pages(4), MADV_WILLNEED), 0);
  CHECK_EQ(msync(p, pages(4), MS_SYNC), 0);
  CHECK_EQ(msync(q, pages(4), MS_ASYNC), 0);

  CHECK_EQ(madvise(p + pages(1), pages(2), MADV_REMOVE), 0);
  CHECK_BYTES(q, 'x', pages(1));
  CHECK_BYTES(q + pages(1), 0, pages(2));
  CHECK_BYTES(q + pages(3), 'x', pages(1));
  p[pages(2)] = 'y';
  CHECK_EQ(q[pages(2)], 'y');
  CHECK_ERRNO(madvise(q, pages(1), MADV_REMOVE), EACCES);
  CHECK_EQ(*q, 'x');

  unsigned char resident[4];
  CHECK_EQ(mincore(p, pages(4), resident), 0);
  CHECK_NATTCH(id, 2);
  DETACH(p);
  DETACH(q);
  REMOVE_SEGMENT(id);
}
