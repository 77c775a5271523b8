// The parts of a cell that a scenario can have changed: tells whether an instruction was a store
// that others could see. Two deaths between which no such store lies leave the same cell.
#pragma once

#include <cstdint>

#include "core/cell/cell.h"

namespace crash {

class UsedPages {
 public:
  explicit UsedPages(const ipcell::Cell& cell);
  ~UsedPages();
  UsedPages(const UsedPages&) = delete;
  UsedPages& operator=(const UsedPages&) = delete;
  // True if the cell differs from what it was at the last call.
  bool has_changed();

 private:
  bool update(std::uint64_t offset, std::uint64_t size);
  bool update_heap();

  const ipcell::Cell& cell_;
  unsigned char* copy_;  // as it was, at the same offsets; memory is only behind what is in use
};

}  // namespace crash
