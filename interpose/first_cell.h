// The cell that the environment names: the first that a process maps.
#pragma once

#include "core/cell/cell.h"
#include "core/cell/cell_dir.h"

namespace ipcell {

// Opens it, or makes it, and enters it as the first into the table of cells. False: say_complaint()
// tells why, once. With the process's lock held.
bool open_first_cell();
void say_complaint();

// As this process opens cells.
Cell::Options cell_options();
// Where it is; touches no file. False if the environment does not say it.
bool place_by_settings(CellPlace* place);

}  // namespace ipcell
