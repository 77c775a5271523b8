// check_cell(): walks every invariant of a cell and gives the first broken one as a text.
// See cell/check.h for what a caller must see to.
#pragma once

#include "core/cell/check.h"

namespace ipcell {

// nullptr if the cell is what it should be, else `text`, in which the violation stands (cut off at
// `size`). Quiescent and nothing `unsettled`: whoever reaped the dead touches each queue once
// before.
const char* check_cell(const Cell& cell, CheckMode mode, char* text, std::size_t size);

}  // namespace ipcell
