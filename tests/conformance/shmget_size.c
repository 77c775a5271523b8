/*
 * A new segment has at least one byte, and IPC_STAT tells the size as it was asked for. Of an
 * existing segment as much or less may be asked for, also nothing; a byte more is EINVAL, though
 * its last page has the room.
 */
#include "shm_check.h"

enum { KEY = 0x10e1 };

int main(void) {
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, ULONG_MAX, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, DEFAULT_SHMMAX + 1, 0600), EINVAL);
  CHECK_ERRNO(shmget(KEY, ULONG_MAX, IPC_CREAT | 0600), EINVAL);
  /* Allowed by SHMMAX, but no file can be so large. */
  CHECK_ERRNO(shmget(IPC_PRIVATE, DEFAULT_SHMMAX, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, LONG_MAX + 1ul, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, LONG_MAX + 1ul, SHM_NORESERVE | 0600), EINVAL);

  const size_t sizes[] = {1, 2, 100, pages(1) - 1, pages(1), pages(1) + 1, 123456};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int id = CHECK_OK(shmget(KEY, sizes[i], IPC_CREAT | 0600));
    CHECK_EQ(stat_segment(id).shm_segsz, sizes[i]);
    CHECK_EQ(shmget(KEY, 0, 0600), id);
    CHECK_EQ(shmget(KEY, 1, 0600), id);
    CHECK_EQ(shmget(KEY, sizes[i], IPC_CREAT | 0600), id);
    CHECK_EQ(shmget(KEY, 0, IPC_CREAT | 0600), id);
    CHECK_ERRNO(shmget(KEY, sizes[i] + 1, 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, sizes[i] + 1, IPC_CREAT | 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, ULONG_MAX, 0600), EINVAL);
    CHECK_EQ(stat_segment(id).shm_segsz, sizes[i]);
    REMOVE_SEGMENT(id);
  }
}
