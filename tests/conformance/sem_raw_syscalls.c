/*
 * The same set through libc and through syscall(2), with the same errors. Of SETVAL's argument and
 * of the other numbers the low 32 bits count.
 */
#include "sem_check.h"
#include <sys/syscall.h>

int main(void) {
#if !defined SYS_semget || !defined SYS_semtimedop || !defined __x86_64__ || !defined __LP64__
  SKIP("this ABI has no separate 64-bit system calls for semaphores");
#else
  struct sembuf up = {0, 2, 0}, down = {0, -2, IPC_NOWAIT};
  struct timespec zero = {0, 0}, invalid = {0, -1};
  struct semid_ds ds;
  CHECK_EQ(syscall(SYS_semget, 0x10dd, 2, IPC_CREAT | 0600), 0);
  CHECK_EQ(semget(0x10dd, 2, 0), 0);
  CHECK_EQ(syscall(SYS_semop, 0, &up, 1), 0);
  CHECK_VALUE(0, 0, 2);
  CHECK_EQ(syscall(SYS_semtimedop, 0, &down, 1, &zero), 0);
  CHECK_EQ(syscall(SYS_semtimedop, 0, &up, 1, NULL), 0);
  CHECK_EQ(syscall(SYS_semctl, 0, 0, GETVAL, 0), 2);
  CHECK_EQ(syscall(SYS_semctl, 0, 0, GETPID, 0), getpid());
  CHECK_EQ(syscall(SYS_semctl, 0, 0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.sem_nsems, 2);

  CHECK_EQ(syscall(SYS_semctl, 0, 1, SETVAL, 0x7000000000000005), 0);
  CHECK_VALUE(0, 1, 5);
  CHECK_ERRNO(syscall(SYS_semctl, 0, 1, SETVAL, 0x80000001ul), ERANGE);
  CHECK_EQ(syscall(SYS_semctl, 1ul << 32, 1ul << 33, 1ul << 34 | GETVAL, 0), 2);
  CHECK_EQ(syscall(SYS_semop, 1ul << 32, &down, 1ul << 32 | 1), 0);
  CHECK_EQ(syscall(SYS_semget, 1ul << 32 | 0x10dd, 1ul << 32 | 2, 1ul << 32), 0);

  CHECK_ERRNO(syscall(SYS_semget, 0x10dd, 2, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(syscall(SYS_semop, 0, &down, 1), EAGAIN);
  CHECK_ERRNO(syscall(SYS_semop, 0, NULL, 1), EFAULT);
  CHECK_ERRNO(syscall(SYS_semtimedop, 0, &down, 1, &invalid), EINVAL);
  CHECK_ERRNO(syscall(SYS_semtimedop, 0, &down, 1, 1), EFAULT);
  CHECK_EQ(syscall(SYS_semctl, 0, 0, IPC_RMID, 0), 0);
  CHECK_ERRNO(syscall(SYS_semctl, 0, 0, IPC_RMID, 0), EINVAL);

  /* On x86-64 the command has no IPC_64 bit (0x100): with it there is no such command. */
  int id = new_set(1);
  CHECK_ERRNO(semctl(id, 0, IPC_STAT | 0x100, &ds), EINVAL);
  CHECK_ERRNO(syscall(SYS_semctl, id, 0, GETVAL | 0x100, 0), EINVAL);
  CHECK_ERRNO(syscall(SYS_semctl, id, 0, IPC_RMID | 0x100, 0), EINVAL);
  REMOVE_SET(id);
#endif
}
