// `ipcell run --fault`: rules for one run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/fault/in_cell.h"

namespace ipcell::cli {

class RunFaults {
 public:
  // Rules of the options, and before them those of the environment. Throws Failure if any of them
  // is malformed: before there is a cell.
  explicit RunFaults(const FaultOptions& options);

  // Before the program starts. Throws Failure.
  void enter(const CellPlace& place);
  // After its end: tells of rules that were met otherwise than was meant. `removes`: the cell
  // stays for others, without these rules.
  void leave(const CellPlace& place, bool removes);

 private:
  std::vector<FaultRule> rules_;
  std::optional<std::uint64_t> seed_;
};

// Variables that the program does not get: the rules are in its cell already.
bool is_fault_variable(const std::string& name);

}  // namespace ipcell::cli
