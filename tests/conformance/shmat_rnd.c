/*
 * An address that is no multiple of SHMLBA is EINVAL, unless SHM_RND rounds it down. SHM_RND also
 * takes a multiple. Rounded down to 0, with SHM_REMAP it is EINVAL.
 */
#include "shm_check.h"

int main(void) {
  int id = new_segment(SHMLBA);
  char* at = free_pages(4 * SHMLBA / pages(1));
  at += SHMLBA - (size_t)at % SHMLBA;
  const size_t offsets[] = {1, 8, 100, pages(1) / 2, SHMLBA - 1};
  for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
    CHECK_ERRNO(shmat(id, at + offsets[i], 0), EINVAL);
    CHECK_ERRNO(shmat(id, at + offsets[i], SHM_RDONLY), EINVAL);
    CHECK_ERRNO(shmat(id, at + offsets[i], SHM_REMAP), EINVAL);
    CHECK(SHMAT(id, at + offsets[i], SHM_RND) == at);
    CHECK_ERRNO(shmat(id, at + offsets[i], SHM_RND), EINVAL);
    CHECK(SHMAT(id, at + offsets[i], SHM_RND | SHM_REMAP) == at);
    CHECK_ERRNO(shmdt(at + offsets[i]), EINVAL);
    DETACH(at);
  }
  CHECK(SHMAT(id, at, SHM_RND) == at);
  DETACH(at);
  CHECK_ERRNO(shmat(id, (void*)1, SHM_RND | SHM_REMAP), EINVAL);
  CHECK_ERRNO(shmat(id, (void*)(size_t)(SHMLBA - 1), SHM_RND | SHM_REMAP), EINVAL);
  CHECK_ERRNO(shmat(id, (void*)1, 0), EINVAL);
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
}
