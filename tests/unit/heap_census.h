// Counts a heap's blocks. Between operations each block that was ever handed out is in use or in
// one list of free blocks: what is neither has leaked, what is both was freed twice.
#pragma once

#include "core/cell/cell.h"

namespace ipcell::test {

struct HeapCensus {
  // Blocks of each class that no list of free blocks holds.
  u64 in_use[kBlockClasses] = {};
  // False: a list is broken, or a block stands in two.
  bool is_sound = true;

  u64 total() const;
};

// No operation may be under way in the cell.
HeapCensus take_census(const Cell& cell);

}  // namespace ipcell::test
