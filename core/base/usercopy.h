// Copies between the core and the program's memory. A bad pointer must give EFAULT, as from a
// system call, and not SIGSEGV: the routine is a few known instructions with no stack of their own,
// and a fault handler that finds the program counter among them (recover_usercopy()) makes the call
// return -EFAULT.
#pragma once

#include "core/base/types.h"

namespace ipcell {

extern "C" {
// 0, or -EFAULT when a page of either side is not there.
int ipcell_usercopy(void* to, const void* from, std::size_t size);
}

// Where a fault may find its signal blocked, and so be the process's end, the kernel copies. Asked
// whenever it is set; see interpose/signal_masks.cc.
__attribute__((visibility("hidden"))) extern bool (*g_is_fault_blocked)();

// The same by the kernel: slow, and never a fault.
int copy_from_user_by_kernel(void* to, const void* user, std::size_t size);
int copy_to_user_by_kernel(void* user, const void* from, std::size_t size);

inline int copy_from_user(void* to, const void* user, std::size_t size) {
  if (g_is_fault_blocked != nullptr && g_is_fault_blocked()) [[unlikely]]
    return copy_from_user_by_kernel(to, user, size);
  return ipcell_usercopy(to, user, size);
}
inline int copy_to_user(void* user, const void* from, std::size_t size) {
  if (g_is_fault_blocked != nullptr && g_is_fault_blocked()) [[unlikely]]
    return copy_to_user_by_kernel(user, from, size);
  return ipcell_usercopy(user, from, size);
}

// If `program_counter` is inside of the routine: the address to go on at, else 0.
std::uintptr_t recover_usercopy(std::uintptr_t program_counter);

}  // namespace ipcell
