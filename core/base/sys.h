// Raw system calls. The core never calls a glibc wrapper: in libipcell.so those names are its own
// interposed ones, and a wrapper sets errno and may be a cancellation point. All return >= 0 or
// -errno.
#pragma once

#include <sys/syscall.h>
#include <time.h>

#include "core/base/types.h"

namespace ipcell::sys {

#if defined(__x86_64__)
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long x8 asm("x8") = n;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#elif defined(__i386__)
// A function, in sys_i386.cc: a cancelled thread is unwound out of it, and inline assembly can't
// say where %ebp is.
extern "C" long ipcell_system_call(long n, long a, long b, long c, long d, long e, long f);
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  return ipcell_system_call(n, a, b, c, d, e, f);
}
#else
#error "ipcell has no system call sequence for this machine"
#endif

template <class T>
long arg(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

constexpr bool is_error(long result) { return result < 0 && result > -4096; }
// An address that a system call returned: the upper half of a 32-bit process's is no negative
// number.
constexpr u64 address_of(long result) { return static_cast<unsigned long>(result); }

// i386's calls of the plain names know 16-bit ids, and files of 2 GiB unless they are told.
#if defined(__i386__)
constexpr long kGetuid = SYS_getuid32, kGeteuid = SYS_geteuid32, kGetegid = SYS_getegid32;
constexpr long kGetgroups = SYS_getgroups32;
constexpr int kLargeFile = 0100000;
#else
constexpr long kGetuid = SYS_getuid, kGeteuid = SYS_geteuid, kGetegid = SYS_getegid;
constexpr long kGetgroups = SYS_getgroups;
constexpr int kLargeFile = 0;
#endif

// mmap(2): the address, or -errno. `offset`: bytes.
inline long map(u64 address, u64 size, int protection, int flags, long fd = -1, u64 offset = 0) {
#if defined(__i386__)
  constexpr u64 kUnit = 4096;
  constexpr long kNumber = SYS_mmap2;
#else
  constexpr u64 kUnit = 1;
  constexpr long kNumber = SYS_mmap;
#endif
  return call(kNumber, static_cast<long>(address), static_cast<long>(size), protection, flags, fd,
              static_cast<long>(offset / kUnit));
}

// The process's soft limit of a resource (RLIMIT_...); `unknown` where it can't be asked for.
inline u64 soft_limit(int resource, u64 unknown) {
  struct {
    u64 soft, hard;
  } limit;  // struct rlimit64
  return call(SYS_prlimit64, 0, resource, 0, arg(&limit)) == 0 ? limit.soft : unknown;
}

}  // namespace ipcell::sys
