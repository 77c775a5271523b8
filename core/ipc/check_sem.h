// check_cell()'s part that knows semaphore sets.
#pragma once

#include "core/cell/check.h"
#include "core/ipc/undo.h"

namespace ipcell {

// All sets; adds the waiters and the holds that it found to `*waiters` and `*holds`.
bool check_sets(CellCheck& check, u32* waiters, u32* holds);
// What a live task owns of them.
bool claim_sem_fields(CellCheck& check, const TaskRec& rec, u32 slot);

// A record that is no object: stale ids may lead to it, so its lock must be free all the same.
// In check.cc.
bool check_free_record(CellCheck& check, u64 offset);

}  // namespace ipcell
