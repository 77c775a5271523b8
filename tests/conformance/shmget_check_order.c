/*
 * Which error shmget() gives when several apply. Of an existing segment: EEXIST, size EINVAL,
 * EACCES. Where there is none: ENOENT before the size. Of a new one: size EINVAL before ENOSPC.
 */
#include "shm_check.h"

enum { KEY = 0x10e2, STRANGER = 10001 };

int main(void) {
  NEED_ROOT();
  int id = CHECK_OK(shmget(KEY, 100, IPC_CREAT | 0600));
  CHECK_ERRNO(shmget(KEY, 101, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(shmget(KEY + 1, 0, 0600), ENOENT);
  CHECK_ERRNO(shmget(KEY + 1, ULONG_MAX, 0600), ENOENT);

  pid_t child = fork_child();
  if (child == 0) {
    become(STRANGER, STRANGER, 0);
    CHECK_ERRNO(shmget(KEY, 101, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_ERRNO(shmget(KEY, 101, 0600), EINVAL);
    CHECK_ERRNO(shmget(KEY, 100, 0600), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, 0600), EACCES);
    CHECK_ERRNO(shmget(KEY, 0, IPC_CREAT | 0600), EACCES);
    CHECK_EQ(shmget(KEY, 0, 0), id);
    _exit(0);
  }
  CHECK_CHILD(child);

  /* The namespace is full. */
  need_own_sysctl();
  CHECK_EQ(put_text("/proc/sys/kernel/shmmni", "1"), 0);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
  CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
  CHECK_ERRNO(shmget(IPC_PRIVATE, ULONG_MAX, 0600), EINVAL);
  CHECK_ERRNO(shmget(KEY + 1, 0, IPC_CREAT | 0600), EINVAL);
  CHECK_ERRNO(shmget(KEY + 1, 0, 0600), ENOENT);
  CHECK_EQ(shmget(KEY, 100, IPC_CREAT | 0600), id);
  CHECK_ERRNO(shmget(KEY, 101, IPC_CREAT | 0600), EINVAL);
  REMOVE_SEGMENT(id);
}
