// The two sides of a comparison, with one signature: >= 0 or -errno.
//
// Kernel issues the system call itself; Cell calls libc's function through the PLT, where
// libipcell.so takes over.
#pragma once

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

#include "kernel_call.h"

namespace ipcell::bench {

struct Kernel {
  static long msgget(key_t key, int flags) { return kernel_call(SYS_msgget, key, flags); }
  static long msgsnd(int id, const void* message, std::size_t size, int flags) {
    return kernel_call(SYS_msgsnd, id, kernel_arg(message), static_cast<long>(size), flags);
  }
  static long msgrcv(int id, void* message, std::size_t size, long type, int flags) {
    return kernel_call(SYS_msgrcv, id, kernel_arg(message), static_cast<long>(size), type, flags);
  }
  static long msgctl(int id, int command, msqid_ds* ds) {
    return kernel_call(SYS_msgctl, id, command, kernel_arg(ds));
  }
};

struct Cell {
  static long msgget(key_t key, int flags) { return or_errno(::msgget(key, flags)); }
  static long msgsnd(int id, const void* message, std::size_t size, int flags) {
    return or_errno(::msgsnd(id, message, size, flags));
  }
  static long msgrcv(int id, void* message, std::size_t size, long type, int flags) {
    return or_errno(::msgrcv(id, message, size, type, flags));
  }
  static long msgctl(int id, int command, msqid_ds* ds) {
    return or_errno(::msgctl(id, command, ds));
  }

 private:
  static long or_errno(long result) { return result < 0 ? -errno : result; }
};

// Passes on a result >= 0; throws for -errno.
inline long check(long result, const char* call) {
  if (result < 0) throw std::system_error(static_cast<int>(-result), std::generic_category(), call);
  return result;
}

}  // namespace ipcell::bench
