/*
 * Which error shmat() gives when several apply: negative id, unaligned address and SHM_REMAP
 * without an address are EINVAL at first; then EINVAL for no such segment, EACCES, and EINVAL for
 * an address where something is mapped. Unknown flags are ignored.
 */
#include "shm_check.h"

enum { NO_SUCH_ID = 12345, STRANGER = 10001 };

int main(void) {
  int id = new_segment(100);
  char* at = free_pages(1);
  CHECK_ERRNO(shmat(-1, NULL, 0), EINVAL);
  CHECK_ERRNO(shmat(INT_MIN, NULL, 0), EINVAL);
  CHECK_ERRNO(shmat(NO_SUCH_ID, NULL, 0), EINVAL);
  CHECK_ERRNO(shmat(NO_SUCH_ID, at, 0), EINVAL);

  const int unknown[] = {1, 0777, IPC_CREAT, IPC_EXCL, IPC_NOWAIT, 0x200000, INT_MIN, 0x40000000};
  for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    CHECK(SHMAT(id, at, unknown[i]) == at);
    CHECK_STORE(at, 0);
    DETACH(at);
  }

  if (can_become_others()) {
    pid_t child = fork_child();
    if (child == 0) {
      become(STRANGER, STRANGER, 0);
      CHECK_ERRNO(shmat(id, NULL, 0), EACCES);
      CHECK_ERRNO(shmat(id, NULL, SHM_REMAP), EINVAL);
      CHECK_ERRNO(shmat(id, at + 1, 0), EINVAL);
      CHECK_ERRNO(shmat(id, (void*)1, SHM_RND | SHM_REMAP), EINVAL);
      CHECK_ERRNO(shmat(id, (void*)1, SHM_RND), EACCES);
      CHECK_ERRNO(shmat(NO_SUCH_ID, NULL, 0), EINVAL);
      char* occupied = mmap(NULL, pages(1), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      CHECK_ERRNO(shmat(id, occupied, 0), EACCES);
      CHECK_ERRNO(shmat(id, (void*)-pages(1), 0), EACCES);
      _exit(0);
    }
    CHECK_CHILD(child);
  }
  CHECK_NATTCH(id, 0);
  REMOVE_SEGMENT(id);
}
