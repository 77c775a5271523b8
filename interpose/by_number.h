// System calls by their numbers, as syscall(2) takes them.
#pragma once

namespace ipcell {

// An IPC call of the machine's own numbers. As it says, or -errno; -ENOSYS for all other numbers.
long call_by_number(long number, long a, long b, long c, long d, long e, long f);

}  // namespace ipcell
