// The process of `ipcell run --trap` that the kernel notifies of IPC calls. For each thread of a
// program without the library it has a thread of its own, whose task in the cell bears the
// program's pid: to the cell it is that program.
#pragma once

#include "cli/trap/reporter.h"
#include "core/cell/cell_dir.h"

namespace ipcell::cli {

// Returns when no process is left that the filter concerns. `place`: the cell of programs whose
// environment names none. Has what there is to report told meanwhile.
void serve_calls(int listener, const CellPlace& place, Reporter& reporter);

}  // namespace ipcell::cli
