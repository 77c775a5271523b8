// The parts of a cell that a scenario can have changed: tells whether an instruction was a store
// that others could see. Two deaths between which no such store lies leave the same cell.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cell/cell.h"

namespace crash {

class UsedPages {
 public:
  explicit UsedPages(const ipcell::Cell& cell) : cell_(cell) { (void)has_changed(); }
  // True if the cell differs from what it was at the last call.
  bool has_changed();

 private:
  bool update(std::uint64_t offset, std::uint64_t size);

  const ipcell::Cell& cell_;
  std::vector<unsigned char> copy_;  // as it was, range after range
  std::uint64_t used_ = 0;           // of copy_, while it is compared
};

}  // namespace crash
