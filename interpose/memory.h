// The calls that change the process's mappings, or copy them into a child.
#pragma once

#include "core/cell/cell.h"

namespace ipcell {

// shmat(2) for libc's callers.
void* attach_segment(int id, const void* address, int flags);
// shmdt(2), of whatever cell is attached there: 0 or -errno.
long detach_segment(const void* address);

// A system call that changes mappings, by its number: its result, or -errno. Attachments that it
// meets follow. One of any other number is just made.
long change_mappings(long number, long a, long b, long c, long d, long e, long f);

// mlockall(2) with MCL_CURRENT, for all that is mapped but the cells themselves. 0 or -errno.
long lock_all_but_cells(long flags);

// syscall(2) of fork(2), or of clone(2) without CLONE_VM and another stack: the result for libc's
// callers.
long fork_by_number(long number, long a, long b, long c, long d, long e);
// The same of clone3(2), if it copies_memory().
long clone3_by_number(const void* arguments, u64 size);
// True if clone3(2) with these arguments makes a child with memory of its own, on the same stack.
bool copies_memory(const void* arguments, u64 size);

}  // namespace ipcell
