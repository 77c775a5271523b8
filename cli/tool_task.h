// A cell opened as it was made, and a task of this command's in it.
#pragma once

#include "cli/cells.h"
#include "core/ipc/address_map.h"
#include "core/syscalls.h"

namespace ipcell::cli {

class ToolTask {
 public:
  explicit ToolTask(const CellPlace& place);
  ~ToolTask();
  ToolTask(const ToolTask&) = delete;
  ToolTask& operator=(const ToolTask&) = delete;

  // nullptr if the cell can't be used.
  Task* get() { return is_attached_ ? &task_ : nullptr; }

 private:
  CellPlace place_;
  Cell cell_;
  AddressMap addresses_;
  Cred cred_;
  Task task_;
  bool is_attached_ = false;
};

}  // namespace ipcell::cli
