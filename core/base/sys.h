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
// %ebx may be the GOT pointer and %ebp the frame pointer: both are saved by hand.
inline long call(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  const long words[] = {a, b, c, d, e, f, n};
  asm volatile(
      "pushl %%ebx\n\tpushl %%ebp\n\tmovl 0(%%eax),%%ebx\n\tmovl 4(%%eax),%%ecx\n\t"
      "movl 8(%%eax),%%edx\n\tmovl 12(%%eax),%%esi\n\tmovl 16(%%eax),%%edi\n\t"
      "movl 20(%%eax),%%ebp\n\tmovl 24(%%eax),%%eax\n\tint $0x80\n\tpopl %%ebp\n\tpopl %%ebx"
      : "=a"(result)
      : "a"(words)
      : "ecx", "edx", "esi", "edi", "memory");
  return result;
}
#else
#error "ipcell has no system call sequence for this machine"
#endif

template <class T>
long arg(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

constexpr bool is_error(long result) { return result < 0 && result > -4096; }

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
