/*
 * The same segment through libc and through syscall(2), with the same errors. Of ids, keys, flags
 * and commands the low 32 bits count; of sizes and addresses all 64.
 */
#include "shm_check.h"
#include <sys/syscall.h>

int main(void) {
#if !defined SYS_shmget || !defined __x86_64__ || !defined __LP64__
  SKIP("this ABI has no separate 64-bit system calls for shared memory");
#else
  struct shmid_ds ds;
  CHECK_EQ(syscall(SYS_shmget, 0x10fa, 100, IPC_CREAT | 0600), 0);
  CHECK_EQ(shmget(0x10fa, 100, 0), 0);
  char* p = (char*)CHECK_OK(syscall(SYS_shmat, 0, NULL, 0));
  char* q = ATTACH(0);
  strcpy(p, "text");
  CHECK_TEXT(q, "text");
  CHECK_EQ(syscall(SYS_shmctl, 0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_nattch, 2);
  CHECK_EQ(syscall(SYS_shmdt, q), 0);
  DETACH(p);
  CHECK_NATTCH(0, 0);
  char* at = free_pages(1);
  CHECK_EQ(syscall(SYS_shmat, 0, at, SHM_RDONLY), (long)at);
  CHECK_ERRNO(syscall(SYS_shmat, 0, at, 0), EINVAL);
  CHECK_EQ(syscall(SYS_munmap, at, 1), 0);
  CHECK_NATTCH(0, 0);

  CHECK_EQ(syscall(SYS_shmget, 1ul << 32 | 0x10fa, 100, 1ul << 32), 0);
  CHECK_ERRNO(syscall(SYS_shmget, 0x10fa, 1ul << 32 | 100, 0), EINVAL);
  p = (char*)CHECK_OK(syscall(SYS_shmat, 1ul << 32, NULL, 1ul << 32));
  CHECK_ERRNO(syscall(SYS_shmdt, (size_t)p | 1ul << 63), EINVAL);
  CHECK_EQ(syscall(SYS_shmdt, p), 0);
  CHECK_EQ(syscall(SYS_shmctl, 1ul << 32, 1ul << 32 | IPC_STAT, &ds), 0);
  CHECK_EQ(ds.shm_nattch, 0);

  CHECK_ERRNO(syscall(SYS_shmget, 0x10fa, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(syscall(SYS_shmat, 0, 1, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_shmdt, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_shmctl, 0, IPC_STAT, 1), EFAULT);

  /* On x86-64 the command has no IPC_64 bit (0x100): with it there is no such command. */
  CHECK_ERRNO(shmctl(0, IPC_STAT | 0x100, &ds), EINVAL);
  CHECK_ERRNO(syscall(SYS_shmctl, 0, IPC_RMID | 0x100, 0), EINVAL);
  CHECK_EQ(syscall(SYS_shmctl, 0, IPC_RMID, 0), 0);
  CHECK_ERRNO(syscall(SYS_shmctl, 0, IPC_RMID, 0), EINVAL);
#endif
}
