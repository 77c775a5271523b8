// The environment of programs that are run in a cell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/cell/cell_dir.h"

namespace ipcell::cli {

struct CellEnvironment {
  const CellPlace& place;
  std::string library;      // what LD_PRELOAD is to name
  bool posix = false;       // named POSIX semaphores and shared memory are the cell's
  std::optional<u32> mode;  // of the cell, if it was asked for
};

// This process's environment, as NAME=VALUE, with other values for what the library reads.
std::vector<std::string> environment_for(const CellEnvironment& wanted);

}  // namespace ipcell::cli
