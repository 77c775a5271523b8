// `ipcell run --trap`: a tree of programs whose inline IPC calls reach the cell.
#pragma once

#include "cli/child.h"
#include "cli/trap/filter.h"
#include "core/cell/cell_dir.h"

namespace ipcell::cli {

class TrapSession {
 public:
  // Builds the filters. `place`: the cell of programs that do not say. Throws Failure.
  explicit TrapSession(const CellPlace& place) : place_(place) {}
  TrapSession(const TrapSession&) = delete;
  TrapSession& operator=(const TrapSession&) = delete;

  // Starts the process that makes calls for programs without the library, and from there the one
  // that is to be the program: where ptrace(2) is for ancestors alone (Yama), that is what it must
  // be. It ends with the last program of the tree, and reports the first one's ends and stops.
  StartedChild start();

  // Puts the filters in force for the calling process. 0 or -errno. On kernels without
  // notifications a line on stderr tells what that means.
  int confine() const;

 private:
  TrapFilters filters_;
  CellPlace place_;
  int socket_ = -1;  // to the server, in the process that is to be the program
};

}  // namespace ipcell::cli
