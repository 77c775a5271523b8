// check_cell()'s part that knows POSIX message queues.
#pragma once

#include "core/cell/check.h"
#include "core/ipc/mqueue.h"

namespace ipcell {

// All queues and their table; adds the waiters that it found to `*waiters`.
bool check_mqueues(CellCheck& check, u32* waiters);

// Claims all pieces of a message. `is_whole`: its text is complete, and no piece is too many. In
// check.cc.
bool check_message(CellCheck& check, u64 offset, bool is_whole, BlockOwner owner, u64 where);

}  // namespace ipcell
