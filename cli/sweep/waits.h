// Who waits for whom in a cell whose program does not come to its end.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "core/cell/cell_dir.h"

namespace ipcell::cli {

// One sentence for each thread that sleeps in an IPC call, and one for each of `processes` that has
// none such. Looks without locks: those who sleep change nothing, and the others cannot be hurt.
std::vector<std::string> describe_waits(const CellPlace& place,
                                        const std::vector<pid_t>& processes);

}  // namespace ipcell::cli
