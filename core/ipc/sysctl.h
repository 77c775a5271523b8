// The namespace's sysctls: kernel.msg*, sem*, shm*, and fs.mqueue.*. What they hold is Limits and
// each Registry's next_id; here is how they are printed, and what may be written to them.
#pragma once

#include "core/cell/task.h"

namespace ipcell {

// Linux: ipc/ipc_sysctl.c:ipc_sysctls[], ipc/mq_sysctl.c:mq_sysctls[]
struct Sysctl {
  enum class Kind : u32 {
    Numbers,     // int, each between min and max
    Longs,       // unsigned long, any
    Semaphores,  // four of int, the last between 0 and max
    Orphans,     // int; 1 removes the segments that nobody has any more
    NextId,      // int; goes back to -1 when it was used
    Dummy,       // reads 0, whatever was written
  };

  const char* name;  // "kernel.msgmax"
  Kind kind;
  u32 mode;      // as stat(2) shows it
  u64 place;     // offset of the first word in a cell
  u32 count;     // words
  i64 min, max;  // of an int
};

constexpr u32 kSysctls = 17;
// `number` is below kSysctls.
const Sysctl& sysctl_at(u32 number);
// The number of the one whose name, or whose path below /proc/sys, is `name`: kSysctls if none's.
u32 find_sysctl(const char* name, std::size_t length);

// Room for the text of any, and what is read of a text that is written.
constexpr std::size_t kSysctlText = 64;
constexpr std::size_t kSysctlWritten = 4095;

}  // namespace ipcell
