/*
 * The direct calls of i386, and those with 64-bit times: a time far away is none, one that has
 * passed is over, nanoseconds have 32 bits, with whatever stands above them.
 */
#include "../conformance/mq_check.h"
#include <stdint.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#if !defined SYS_semtimedop_time64
int main(void) { SKIP("no calls of 64-bit times on this machine"); }
#else
struct wide {
  int64_t seconds, nanoseconds;
};

int main(void) {
  struct sembuf down = {0, -1, 0}, up = {0, 1, 0};
  struct wide soon = {0, 1000000}, far = {1ll << 40, 0}, padded = {0, 1ll << 32 | 1000000},
              wrong = {0, 1000000000}, negative = {-1, 0};
  CHECK_EQ(syscall(SYS_semget, 0x10dd, 1, IPC_CREAT | 0600), 0);
  CHECK_ERRNO(syscall(SYS_semtimedop_time64, 0, &down, 1, &soon), EAGAIN);
  CHECK_ERRNO(syscall(SYS_semtimedop_time64, 0, &down, 1, &padded), EAGAIN);
  CHECK_ERRNO(syscall(SYS_semtimedop_time64, 0, &down, 1, &wrong), EINVAL);
  CHECK_ERRNO(syscall(SYS_semtimedop_time64, 0, &down, 1, &negative), EINVAL);
  CHECK_ERRNO(syscall(SYS_semtimedop_time64, 0, &down, 1, 16), EFAULT);
  CHECK_EQ(syscall(SYS_semtimedop_time64, 0, &up, 1, NULL), 0);
  CHECK_EQ(syscall(SYS_semtimedop_time64, 0, &down, 1, &far), 0);
  CHECK_EQ(syscall(SYS_semctl, 0, 0, IPC_RMID, 0), 0);
  /* Only ipc(2) knows the bit. */
  struct msqid_ds ds;
  CHECK_EQ(syscall(SYS_msgget, 0x10cd, IPC_CREAT | 0600), 0);
  CHECK_EQ(syscall(SYS_msgctl, 0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.msg_perm.mode, 0600);
  CHECK_EQ(syscall(SYS_msgctl, 0, IPC_RMID, NULL), 0);

  struct mq_attr attr = room_for(1, 8);
  char room[8];
  unsigned priority;
  mqd_t mq = CHECK_OK(syscall(SYS_mq_open, "q", O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
  struct wide past = {1000, 0};
  struct timespec past32 = {1000, 0};
  CHECK_ERRNO(syscall(SYS_mq_timedreceive_time64, mq, room, 8, &priority, &past), ETIMEDOUT);
  CHECK_ERRNO(syscall(SYS_mq_timedreceive, mq, room, 8, &priority, &past32), ETIMEDOUT);
  CHECK_EQ(syscall(SYS_mq_timedsend_time64, mq, "one", 3, 4, &far), 0);
  CHECK_ERRNO(syscall(SYS_mq_timedsend_time64, mq, "two", 3, 4, &past), ETIMEDOUT);
  CHECK_ERRNO(syscall(SYS_mq_timedsend, mq, "two", 3, 4, &past32), ETIMEDOUT);
  CHECK_ERRNO(syscall(SYS_mq_timedsend_time64, mq, "two", 3, 4, &wrong), EINVAL);
  CHECK_EQ(syscall(SYS_mq_timedreceive_time64, mq, room, 8, &priority, &far), 3);
  CHECK_EQ(priority, 4);
  CHECK_EQ(syscall(SYS_mq_unlink, "q"), 0);
}
#endif
