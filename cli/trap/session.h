// `ipcell run --trap`: a tree of programs whose inline IPC calls reach the cell.
#pragma once

#include "cli/trap/filter.h"
#include "core/cell/cell_dir.h"

namespace ipcell::cli {

class TrapSession {
 public:
  // Builds the filters, and starts the process that makes calls for programs without the library.
  // It ends with the last program of the tree. `place`: their cell, if they do not say. Throws
  // Failure.
  explicit TrapSession(const CellPlace& place);
  ~TrapSession();
  TrapSession(const TrapSession&) = delete;
  TrapSession& operator=(const TrapSession&) = delete;

  // Puts the filters in force for the calling process. 0 or -errno. On kernels without
  // notifications a line on stderr tells what that means.
  int confine() const;

 private:
  TrapFilters filters_;
  int socket_ = -1;  // to the server
};

}  // namespace ipcell::cli
