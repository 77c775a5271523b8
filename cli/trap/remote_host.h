// What fault rules may know of a process that calls are made for.
#pragma once

#include <sys/types.h>

#include "core/ipc/fault.h"

namespace ipcell::cli {

// Its fork path is what the environment says that its program was started with: a program without
// the library keeps no account of its children. Who makes a call, and with which arguments, is not
// known.
FaultHost remote_fault_host(pid_t pid);

}  // namespace ipcell::cli
