/*
 * shmat() gives ENOMEM where the address space has no room: by RLIMIT_AS, or because the segment is
 * larger than any address space. Neither counts as an attachment, for a time or as lpid.
 */
#include "shm_check.h"
#include <sys/resource.h>

static void check_untouched(int id) {
  struct shmid_ds ds = stat_segment(id);
  CHECK_EQ(ds.shm_nattch, 0);
  CHECK_EQ(ds.shm_lpid, 0);
  CHECK_EQ(ds.shm_atime, 0);
  CHECK_EQ(ds.shm_dtime, 0);
}

#ifdef __LP64__
static const size_t limit_bytes = 4ul << 30;
#else
static const size_t limit_bytes = 1ul << 30;
#endif

int main(void) {
  int id = shmget(IPC_PRIVATE, limit_bytes, SHM_NORESERVE | 0600);
  if (id < 0) SKIP("needs a kernel that reserves no memory");
  pid_t child = fork_child();
  if (child == 0) {
    struct rlimit limit;
    CHECK_EQ(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = limit_bytes;
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    char* at = free_pages(1);
    CHECK_ERRNO(shmat(id, NULL, 0), ENOMEM);
    CHECK_ERRNO(shmat(id, NULL, SHM_RDONLY), ENOMEM);
    CHECK_ERRNO(shmat(id, at, SHM_REMAP), ENOMEM);
    check_untouched(id);
    int small = new_segment(1);
    DETACH(ATTACH(small));
    REMOVE_SEGMENT(small);
    _exit(0);
  }
  CHECK_CHILD(child);
  check_untouched(id);
  DETACH(ATTACH(id));
  REMOVE_SEGMENT(id);

#ifdef __x86_64__
  const size_t sizes[] = {1ul << 47, 1ul << 60, LONG_MAX};
  for (int i = 0; i < 3; i++) {
    id = shmget(IPC_PRIVATE, sizes[i], SHM_NORESERVE | 0600);
    if (id < 0) SKIP("needs a kernel that reserves no memory");
    CHECK_ERRNO(shmat(id, NULL, 0), ENOMEM);
    check_untouched(id);
    REMOVE_SEGMENT(id);
  }
#endif
}
