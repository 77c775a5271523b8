/* ipc(2), which libc has no function for. Linux: include/uapi/linux/ipc.h, beside which sys/ipc.h
 * can't stand. */
#ifndef CONFORMANCE32_IPC_CALL_H
#define CONFORMANCE32_IPC_CALL_H

#include "../conformance/sem_check.h"
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { CALL_SEMOP = 1, CALL_SEMGET, CALL_SEMCTL, CALL_SEMTIMEDOP };
enum { CALL_MSGSND = 11, CALL_MSGRCV, CALL_MSGGET, CALL_MSGCTL };
enum { CALL_SHMAT = 21, CALL_SHMDT, CALL_SHMGET, CALL_SHMCTL };
enum { CALL_IPC64 = 0x100 };

#if defined SYS_ipc
static inline long ipc(unsigned call, int first, int second, int third, void* pointer, long fifth) {
  return syscall(SYS_ipc, call, first, second, third, pointer, fifth);
}
#endif

#endif
