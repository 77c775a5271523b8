// System calls by their numbers, as syscall(2) takes them.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// An IPC call of the machine's own numbers. As it says, or -errno; -ENOSYS for all other numbers.
long call_by_number(long number, long a, long b, long c, long d, long e, long f);

// ipc(2), through which i386 makes all System V calls.
long call_ipc(unsigned call, int first, long second, unsigned long third, void* pointer,
              long fifth);

}  // namespace ipcell

extern "C" {

// The numbers that ipcell_our_syscall() is for, a bit for each below 512. clone(2) and clone3(2)
// are not among them: only those of their calls are that copy the caller's memory and keep its
// stack.
struct IpcellNumbers {
  ipcell::u64 words[8];
};
__attribute__((visibility("hidden"))) extern const IpcellNumbers ipcell_our_numbers;

// As syscall(2) of libc: -1 and errno.
__attribute__((visibility("hidden"))) long ipcell_our_syscall(long number, long a, long b, long c,
                                                              long d, long e, long f);
}
