// Cells that one run of a program gets: a fresh one, or one that has a name and stays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/places.h"
#include "cli/runner.h"
#include "cli/set_limits.h"

namespace ipcell::cli {

// A fresh cell with a name of its own. It is put together under a draft name, so that nobody who
// removes leftovers meets it half made, and removed at the end unless it is to be kept.
class FreshCell {
 public:
  // Throws Failure.
  FreshCell(const Places& places, u32 mode, bool is_kept, const std::vector<Limit>& limits);

  const CellPlace& place() const { return place_; }
  int descriptor() const { return runner_ ? runner_->descriptor() : -1; }

  // After the program's end. Processes that it left behind keep the cell; the last one removes it.
  void leave();

 private:
  std::string name() const;
  bool is_used() const;
  void make(const std::string& folder, const DirRequest& request, const std::vector<Limit>& limits);

  bool is_kept_;
  CellPlace place_{};
  std::string draft_;
  std::optional<RunnerFile> runner_;
};

// The cell `name`, made if it is missing. Throws Failure.
CellPlace named_cell(const Places& places, const std::string& name, u32 mode);

}  // namespace ipcell::cli
