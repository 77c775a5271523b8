// check_cell()'s part that knows segments, and the processes that hold something.
#pragma once

#include "core/cell/check.h"
#include "core/ipc/shm.h"

namespace ipcell {

// All segments, and where their pages stand; adds the holds that it found to `*holds`.
bool check_segments(CellCheck& check, u32* holds);
// The processes' lists hold what the objects' lists hold: `holds` in all.
bool check_processes(CellCheck& check, u32 holds);

}  // namespace ipcell
