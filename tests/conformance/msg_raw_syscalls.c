/* The same queue through libc and through syscall(2), with the same errors. */
#include "msg_check.h"
#include <sys/syscall.h>

int main(void) {
#if !defined SYS_msgget || !defined SYS_msgsnd || !defined __LP64__
  SKIP("this ABI has no separate 64-bit system calls for messages");
#else
  struct message message = {.type = 5, .text = "raw"};
  struct msqid_ds ds;
  CHECK_EQ(syscall(SYS_msgget, 0x10cd, IPC_CREAT | 0600), 0);
  CHECK_EQ(msgget(0x10cd, 0), 0);
  CHECK_EQ(syscall(SYS_msgsnd, 0, &message, 3, 0), 0);
  CHECK_RECV(0, 0, IPC_NOWAIT, 5, "raw");
  CHECK_SEND(0, 6, "libc");
  CHECK_EQ(syscall(SYS_msgrcv, 0, &message, sizeof message.text, 0, 0), 4);
  CHECK_EQ(message.type, 6);
  CHECK_EQ(syscall(SYS_msgctl, 0, IPC_STAT, &ds), 0);
  CHECK_EQ(ds.msg_lrpid, getpid());

  CHECK_ERRNO(syscall(SYS_msgget, 0x10cd, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
  CHECK_ERRNO(syscall(SYS_msgrcv, 0, &message, 1, 0, IPC_NOWAIT), ENOMSG);
  CHECK_ERRNO(syscall(SYS_msgsnd, 0, NULL, 1, 0), EFAULT);
  CHECK_EQ(syscall(SYS_msgctl, 0, IPC_RMID, NULL), 0);
  CHECK_ERRNO(syscall(SYS_msgctl, 0, IPC_RMID, NULL), EINVAL);
#endif
}
