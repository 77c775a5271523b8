// Which clocks the core is to ask.
#pragma once

namespace ipcell {

// Before the process's first use of a cell.
void look_at_clocks();

}  // namespace ipcell
