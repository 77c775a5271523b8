// Makes each System V IPC and POSIX message queue call of the kernel's, with arguments that create
// nothing, and prints "NAME ERRNO". Statically linked, so that nothing can be preloaded: what
// answers here is the kernel. Arguments: none.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name, ...) tell(#name, syscall(SYS_##name, __VA_ARGS__))

static void tell(const char* name, long result) { printf("%s %d\n", name, result < 0 ? errno : 0); }

#if defined(__x86_64__)
static sigjmp_buf no_such_gate;

static void on_fault(int number) {
  (void)number;
  siglongjmp(no_such_gate, 1);
}

// A call through the 32-bit gate, where the kernel has it.
static void call_32(const char* name, int number, int first, int second) {
  struct sigaction action = {.sa_handler = on_fault};
  sigaction(SIGSEGV, &action, NULL);
  if (sigsetjmp(no_such_gate, 1) != 0) return;
  int result;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(first), "c"(second), "d"(0), "S"(0), "D"(0)
               : "r8", "r9", "r10", "r11", "memory");
  printf("%s %d\n", name, result < 0 && result > -4096 ? -result : 0);
}
#endif

int main(void) {
  CALL(msgget, 0x7fffffff, 0);
  CALL(msgsnd, -1, 0, 0, 0);
  CALL(msgrcv, -1, 0, 0, 0, 0);
  CALL(msgctl, -1, 2, 0);
  CALL(semget, 0x7fffffff, 0, 0);
  CALL(semop, -1, 0, 0);
  CALL(semtimedop, -1, 0, 0, 0);
  CALL(semctl, -1, 0, 2, 0);
  CALL(shmget, 0x7fffffff, 0, 0);
  CALL(shmat, -1, 0, 0);
  CALL(shmdt, 1);
  CALL(shmctl, -1, 2, 0);
  CALL(mq_open, "", 0, 0, 0);
  CALL(mq_unlink, "");
  CALL(mq_timedsend, -1, 0, 0, 0, 0);
  CALL(mq_timedreceive, -1, 0, 0, 0, 0);
  CALL(mq_notify, -1, 0);
  CALL(mq_getsetattr, -1, 0, 0);
#if defined(__x86_64__)
  call_32("i386:ipc(MSGGET)", 117, 13, 0x7fffffff);
  call_32("i386:ipc(SEMGET)", 117, 2, 0x7fffffff);
  call_32("i386:msgget", 399, 0x7fffffff, 0);
  call_32("i386:semtimedop_time64", 420, -1, 0);
  call_32("i386:mq_open", 277, 0, 0);
  call_32("i386:mq_timedsend_time64", 418, -1, 0);
  tell("x32:msgget", syscall(0x40000000 + SYS_msgget, 0x7fffffff, 0));
#endif
  return 0;
}
