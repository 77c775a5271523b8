// Rel<T>: a place in a cell, as an offset from the cell's start. Each process maps the cell
// elsewhere, and whoever may write the cell may write nonsense into it: an offset becomes a pointer
// only by Cell::at(), which checks it at each use.
#pragma once

#include "core/base/types.h"

namespace ipcell {

template <class T>
struct Rel {
  u64 offset;  // bytes from the cell's start; 0 is null

  explicit operator bool() const { return offset != 0; }
  bool operator==(const Rel& other) const { return offset == other.offset; }
};

}  // namespace ipcell
