/*
 * The IPC calls by inline instructions: linked to a conformance program, they come before libc's
 * and before those of any preloaded library.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define WORD(value) ((long)(value))

static long call(long number, long a, long b, long c, long d, long e) {
  long result;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  result = x0;
#endif
  if (result >= 0 || result < -4095) return result;
  errno = (int)-result;
  return -1;
}

/* As libc's own, where the thread may be cancelled. */
static long cancellable(long number, long a, long b, long c, long d, long e) {
  int type;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
  long result = call(number, a, b, c, d, e);
  int error = errno;
  pthread_setcanceltype(type, NULL);
  errno = error;
  return result;
}

int msgget(key_t key, int flags) { return (int)call(SYS_msgget, key, flags, 0, 0, 0); }
int msgsnd(int id, const void* message, size_t size, int flags) {
  return (int)cancellable(SYS_msgsnd, id, WORD(message), WORD(size), flags, 0);
}
ssize_t msgrcv(int id, void* message, size_t size, long type, int flags) {
  return cancellable(SYS_msgrcv, id, WORD(message), WORD(size), type, flags);
}
int msgctl(int id, int command, struct msqid_ds* buffer) {
  return (int)call(SYS_msgctl, id, command, WORD(buffer), 0, 0);
}

int semget(key_t key, int count, int flags) {
  return (int)call(SYS_semget, key, count, flags, 0, 0);
}
int semop(int id, struct sembuf* operations, size_t count) {
  return (int)call(SYS_semtimedop, id, WORD(operations), WORD(count), 0, 0);
}
int semtimedop(int id, struct sembuf* operations, size_t count, const struct timespec* timeout) {
  return (int)call(SYS_semtimedop, id, WORD(operations), WORD(count), WORD(timeout), 0);
}
int semctl(int id, int number, int command, ...) {
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  return (int)call(SYS_semctl, id, number, command, argument, 0);
}

int shmget(key_t key, size_t size, int flags) {
  return (int)call(SYS_shmget, key, WORD(size), flags, 0, 0);
}
void* shmat(int id, const void* address, int flags) {
  return (void*)call(SYS_shmat, id, WORD(address), flags, 0, 0);
}
int shmdt(const void* address) { return (int)call(SYS_shmdt, WORD(address), 0, 0, 0, 0); }
int shmctl(int id, int command, struct shmid_ds* buffer) {
  return (int)call(SYS_shmctl, id, command, WORD(buffer), 0, 0);
}

mqd_t mq_open(const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  long mode = 0;
  long attributes = 0;
  if (flags & O_CREAT) {
    mode = va_arg(rest, mode_t);
    attributes = WORD(va_arg(rest, struct mq_attr*));
  }
  va_end(rest);
  if (name[0] != '/') {
    errno = EINVAL;
    return -1;
  }
  return (mqd_t)call(SYS_mq_open, WORD(name + 1), flags, mode, attributes, 0);
}
int mq_unlink(const char* name) {
  if (name[0] != '/') {
    errno = EINVAL;
    return -1;
  }
  int result = (int)call(SYS_mq_unlink, WORD(name + 1), 0, 0, 0, 0);
  if (result != 0 && errno == EPERM) errno = EACCES;
  return result;
}
int mq_timedsend(mqd_t queue, const char* text, size_t size, unsigned priority,
                 const struct timespec* deadline) {
  return (int)cancellable(SYS_mq_timedsend, queue, WORD(text), WORD(size), priority,
                          WORD(deadline));
}
int mq_send(mqd_t queue, const char* text, size_t size, unsigned priority) {
  return mq_timedsend(queue, text, size, priority, NULL);
}
ssize_t mq_timedreceive(mqd_t queue, char* text, size_t size, unsigned* priority,
                        const struct timespec* deadline) {
  return cancellable(SYS_mq_timedreceive, queue, WORD(text), WORD(size), WORD(priority),
                     WORD(deadline));
}
ssize_t mq_receive(mqd_t queue, char* text, size_t size, unsigned* priority) {
  return mq_timedreceive(queue, text, size, priority, NULL);
}
int mq_getattr(mqd_t queue, struct mq_attr* attributes) {
  return (int)call(SYS_mq_getsetattr, queue, 0, WORD(attributes), 0, 0);
}
int mq_setattr(mqd_t queue, const struct mq_attr* wanted, struct mq_attr* old) {
  return (int)call(SYS_mq_getsetattr, queue, WORD(wanted), WORD(old), 0, 0);
}
