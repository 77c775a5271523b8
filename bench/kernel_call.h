// The kernel's own system calls, by an inline instruction: neither glibc nor an interposer of
// syscall(2) sees them.
#pragma once

namespace ipcell::bench {

// Returns what the kernel returns: >= 0 or -errno.
inline long kernel_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
#if defined(__x86_64__)
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory", "cc");
  return x0;
#else
#error "ipcell-bench knows the system call instruction of x86-64 and aarch64 only"
#endif
}

template <class T>
long kernel_arg(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace ipcell::bench
