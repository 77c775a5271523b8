/*
 * Of shmget()'s flags the mode keeps the low nine bits, execute bits too. Flags that mean something
 * to other calls, and those without a meaning, are ignored.
 */
#include "shm_check.h"

int main(void) {
  const int modes[] = {0, 0777, 0111, 0600, 0004};
  for (int i = 0; i < 5; i++) {
    int id = CHECK_OK(shmget(IPC_PRIVATE, 1, modes[i]));
    CHECK_EQ(stat_segment(id).shm_perm.mode, modes[i]);
    REMOVE_SEGMENT(id);
  }

  /* 010000 is SHM_NORESERVE here, and SHM_RDONLY to shmat(). A huge page's size without
   * SHM_HUGETLB (which IPC_NOWAIT is, by its number) counts for nothing. */
  const int ignored[] = {SHM_NORESERVE, SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC,   0x10000,
                         0x20000,       5 << 26,    INT_MIN, IPC_EXCL,  0x40000000, IPC_CREAT};
  for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) {
    int id = CHECK_OK(shmget(IPC_PRIVATE, 1, ignored[i] | 0600));
    CHECK_EQ(stat_segment(id).shm_perm.mode, 0600);
    char* p = ATTACH(id);
    CHECK_STORE(p, 0);
    DETACH(p);
    REMOVE_SEGMENT(id);
  }
}
