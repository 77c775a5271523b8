// Whether a cell is what it should be, after whatever happened to its programs.
#pragma once

#include <string>

#include "core/cell/task.h"

namespace ipcell::cli {

// Gives back what dead processes left, then walks every invariant: the first that is broken, or
// empty. No other process uses the cell.
std::string find_damage(Task& task);

}  // namespace ipcell::cli
