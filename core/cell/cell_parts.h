// The parts of a cell's heap that a 32-bit process maps one by one: it has not the address space to
// map all of it, and the heap fills from its start. A part begins where the one before it ends in
// the file, and is made by a duplicate of that one's last page which is longer (mremap(2) with an
// old size of 0): no descriptor is needed. A 64-bit process maps the whole cell at once, see
// cell.cc.
#pragma once

#include "core/base/atomic.h"
#include "core/cell/layout.h"

namespace ipcell {

constexpr bool kMapsWholeCell = sizeof(void*) == 8;
constexpr u64 kPartSize = 64ull << 20;
static_assert(kPartSize % kChunkSize == 0 && kHeapSize % kPartSize == 0);
// What is mapped at once: the tables, and the first part.
constexpr u64 kMappedSize = kMapsWholeCell ? kCellSize : kHeapOffset + kPartSize;

class CellParts {
 public:
  // Where byte `offset` of the cell stands, which is kMappedSize or more; nullptr if there is no
  // address space for its part.
  u8* address_of(u8* base, u64 offset) const {
    const u32 part = static_cast<u32>((offset - kMappedSize) / kPartSize);
    std::uintptr_t start = load_acquire(starts_[part]);
    if (start == 0) [[unlikely]] {
      start = map(base, part);
      if (start == 0) return nullptr;
    }
    return reinterpret_cast<u8*>(start) + (offset - kMappedSize) % kPartSize;
  }
  // The other way round; ~0 for an address in no part.
  u64 offset_of(const void* address) const {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    for (u32 part = 0; part < kParts; ++part) {
      const std::uintptr_t start = load_acquire(starts_[part]);
      if (start != 0 && place - start < kPartSize)
        return kMappedSize + part * kPartSize + (place - start);
    }
    return ~0ull;
  }
  // Calls `visit(start, size)` for each part that is mapped.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::uintptr_t& start : starts_) {
      if (const std::uintptr_t mapped = load_acquire(start)) visit(mapped, kPartSize);
    }
  }
  // True once a part could not be mapped: this process can't use the cell any more.
  bool is_cut_off() const { return load_relaxed(is_cut_off_) != 0; }
  void unmap();

 private:
  static constexpr u32 kParts =
      kMapsWholeCell ? 1 : static_cast<u32>((kCellSize - kMappedSize) / kPartSize);

  std::uintptr_t map(u8* base, u32 part) const;

  mutable std::uintptr_t starts_[kParts] = {};
  mutable u32 is_cut_off_ = 0;
};

}  // namespace ipcell
