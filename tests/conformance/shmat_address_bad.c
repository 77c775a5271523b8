/*
 * Addresses that no mapping can have, the kernel's half and the end of the program's: ENOMEM, but
 * EINVAL for a segment that would run over the last address. No attachment is left behind.
 */
#include "shm_check.h"

int main(void) {
#ifndef __x86_64__
  SKIP("addresses as on x86-64");
#else
  int id = new_segment(pages(2));
  CHECK_ERRNO(shmat(id, (void*)0x7ffffffff000, 0), ENOMEM);
  CHECK_ERRNO(shmat(id, (void*)0x7fffffffe000, 0), ENOMEM);
  CHECK_ERRNO(shmat(id, (void*)0xffff800000000000, 0), ENOMEM);
  CHECK_ERRNO(shmat(id, (void*)-pages(1), 0), EINVAL);
  CHECK_ERRNO(shmat(id, (void*)-pages(1), SHM_REMAP), ENOMEM);
  CHECK_ERRNO(shmat(id, (void*)-pages(3), 0), ENOMEM);
  CHECK_ERRNO(shmat(id, (void*)-1, 0), EINVAL);
  CHECK_ERRNO(shmat(id, (void*)-1, SHM_RND), EINVAL);
  CHECK_NATTCH(id, 0);
  CHECK_EQ(stat_segment(id).shm_atime, 0);
  CHECK_LPID(id, 0);
  REMOVE_SEGMENT(id);
#endif
}
