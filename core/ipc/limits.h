// Kernel limits, spelled as the kernel spells them.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// Linux: include/uapi/linux/msg.h; constants of IPC_INFO that nothing uses.
constexpr i32 MSGPOOL = 512000;
constexpr i32 MSGMAP = 16384;
constexpr i32 MSGTQL = 16384;
constexpr i32 MSGSSZ = 16;
constexpr u16 MSGSEG = 0xffff;

// Linux: include/uapi/linux/sem.h; all but SEMVMX are constants of IPC_INFO that nothing uses.
constexpr i32 SEMVMX = 32767;
constexpr i32 SEMAEM = SEMVMX;
constexpr i32 SEMUME = 500;
constexpr i32 SEMMNU = 1024000000;
constexpr i32 SEMMAP = SEMMNU;
constexpr i32 SEMUSZ = 20;

// Linux: include/uapi/linux/shm.h; bytes.
constexpr u64 SHMMIN = 1;

}  // namespace ipcell
