// `ipcell run --limit NAME=VALUE`: a cell's sysctls, set before the program starts.
#pragma once

#include <string>
#include <vector>

#include "cli/cells.h"

namespace ipcell::cli {

struct Limit {
  u32 number;  // core/ipc/sysctl.h
  std::string name, value;
};
// Of texts "NAME=VALUE". Throws Failure.
std::vector<Limit> parse_limits(const std::vector<std::string>& texts);
// Stores them in the cell. Throws Failure if it refuses one.
void set_limits(const CellPlace& place, const std::vector<Limit>& limits);

}  // namespace ipcell::cli
