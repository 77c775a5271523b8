// i386: what programs of _TIME_BITS=64 call in place of the plain names. Where no time is in it, or
// libc's struct has room for both, it is the same function.
#if defined(__i386__)

#include <fcntl.h>
#include <mqueue.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include "interpose/calls.h"
#include "interpose/mqueue.h"
#include "interpose/real.h"
#include "interpose/time64.h"

#define IPCELL_EXPORT __attribute__((visibility("default")))

using ipcell::Task;
using ipcell::to_libc;
using ipcell::UserTime;
using ipcell::WideMicrotime;
using ipcell::WideTime;

namespace {

// The times of files. Those that fit into 32 bits go to the plain names, which know queues; a queue
// that is given others keeps its own.

bool fits(long long value) { return value == static_cast<long>(value); }

bool narrow(const WideTime* from, struct timespec (&to)[2]) {
  for (int n = 0; n < 2; ++n) {
    if (!fits(from[n].tv_sec)) return false;
    to[n] = {static_cast<time_t>(from[n].tv_sec), from[n].tv_nsec};
  }
  return true;
}
bool narrow(const WideMicrotime* from, struct timeval (&to)[2]) {
  for (int n = 0; n < 2; ++n) {
    if (!fits(from[n].tv_sec) || !fits(from[n].tv_usec)) return false;
    to[n] = {static_cast<time_t>(from[n].tv_sec), static_cast<suseconds_t>(from[n].tv_usec)};
  }
  return true;
}

// `plain(times)` for those that fit, or that were not given.
template <class Narrow, class Wide, class Plain, class Real>
int with_times(const Wide* times, Plain plain, Real real) {
  Narrow narrowed[2];
  if (times == nullptr) return plain(static_cast<const Narrow*>(nullptr));
  return narrow(times, narrowed) ? plain(static_cast<const Narrow*>(narrowed)) : real();
}

}  // namespace

extern "C" {

IPCELL_EXPORT int __msgctl64(int id, int command, struct msqid_ds* buffer) {
  return msgctl(id, command, buffer);
}
IPCELL_EXPORT int __shmctl64(int id, int command, struct shmid_ds* buffer) {
  return shmctl(id, command, buffer);
}
// Reading an argument that was not given does no harm: it is a word of the caller's stack.
IPCELL_EXPORT int __semctl64(int id, int num, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return semctl(id, num, command, argument);
}
IPCELL_EXPORT int __semtimedop64(int id, struct sembuf* ops, size_t count,
                                 const WideTime* timeout) {
  return static_cast<int>(ipcell::with_task([&](Task& task) {
    return ipcell::sys_semtimedop(task, id, ops, count, UserTime::wide(timeout));
  }));
}

IPCELL_EXPORT int __mq_timedsend_time64(mqd_t queue, const char* text, size_t size,
                                        unsigned priority, const WideTime* deadline) {
  return static_cast<int>(
      to_libc(ipcell::send_mqueue(queue, text, size, priority, UserTime::wide(deadline))));
}
IPCELL_EXPORT ssize_t __mq_timedreceive_time64(mqd_t queue, char* text, size_t size,
                                               unsigned* priority, const WideTime* deadline) {
  return to_libc(ipcell::receive_mqueue(queue, text, size, priority, UserTime::wide(deadline)));
}

IPCELL_EXPORT int __fcntl_time64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return fcntl64(fd, command, argument);
}
IPCELL_EXPORT int __ioctl_time64(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return ioctl(fd, request, argument);
}

int __utimensat64(int dirfd, const char* path, const WideTime* times, int flags);
int __futimens64(int fd, const WideTime* times);
int __utimes64(const char* path, const WideMicrotime* times);
int __lutimes64(const char* path, const WideMicrotime* times);
int __futimes64(int fd, const WideMicrotime* times);
int __futimesat64(int dirfd, const char* path, const WideMicrotime* times);
int __utime64(const char* path, const long long* times);

IPCELL_EXPORT int __utimensat64(int dirfd, const char* path, const WideTime* times, int flags) {
  return with_times<struct timespec>(
      times, [&](const struct timespec* plain) { return utimensat(dirfd, path, plain, flags); },
      [&] { return IPCELL_REAL(__utimensat64)(dirfd, path, times, flags); });
}
IPCELL_EXPORT int __futimens64(int fd, const WideTime* times) {
  return with_times<struct timespec>(
      times, [&](const struct timespec* plain) { return futimens(fd, plain); },
      [&] { return IPCELL_REAL(__futimens64)(fd, times); });
}
IPCELL_EXPORT int __utimes64(const char* path, const WideMicrotime* times) {
  return with_times<struct timeval>(
      times, [&](const struct timeval* plain) { return utimes(path, plain); },
      [&] { return IPCELL_REAL(__utimes64)(path, times); });
}
IPCELL_EXPORT int __lutimes64(const char* path, const WideMicrotime* times) {
  return with_times<struct timeval>(
      times, [&](const struct timeval* plain) { return lutimes(path, plain); },
      [&] { return IPCELL_REAL(__lutimes64)(path, times); });
}
IPCELL_EXPORT int __futimes64(int fd, const WideMicrotime* times) {
  return with_times<struct timeval>(
      times, [&](const struct timeval* plain) { return futimes(fd, plain); },
      [&] { return IPCELL_REAL(__futimes64)(fd, times); });
}
IPCELL_EXPORT int __futimesat64(int dirfd, const char* path, const WideMicrotime* times) {
  return with_times<struct timeval>(
      times, [&](const struct timeval* plain) { return futimesat(dirfd, path, plain); },
      [&] { return IPCELL_REAL(__futimesat64)(dirfd, path, times); });
}
IPCELL_EXPORT int __utime64(const char* path, const long long* times) {
  if (times == nullptr) return utime(path, nullptr);
  if (!fits(times[0]) || !fits(times[1])) return IPCELL_REAL(__utime64)(path, times);
  const struct utimbuf plain = {static_cast<time_t>(times[0]), static_cast<time_t>(times[1])};
  return utime(path, &plain);
}

}  // extern "C"

#endif
