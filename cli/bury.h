// What the dead have left in a cell that stays.
#pragma once

#include "core/cell/cell_dir.h"

namespace ipcell::cli {

// Does for the dead what the living would do at their next call: memory of segments that nobody has
// any more goes back to the filesystem, though nobody else may come for a long time.
void bury_dead(const CellPlace& place);

}  // namespace ipcell::cli
