// msgctl(2) and its like with the structs of Linux 2.0, which i386's ipc(2) still takes: 16 bits
// for ids, pids and counts.
#pragma once

#include "core/syscalls.h"

namespace ipcell {

// As sys_msgctl() and its like.
long old_msgctl(Task& task, int id, int command, void* buffer);
long old_semctl(Task& task, int id, int num, int command, unsigned long argument);
long old_shmctl(Task& task, int id, int command, void* buffer);

}  // namespace ipcell
