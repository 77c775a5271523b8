// Arrays in the heap: zeroed when built, of elements that are set in place. One block if that is
// enough, else a directory of leaves.
//
// An array is owned by one field that holds its root's offset. While it is built, and while it is
// freed, that is the task's `array`: from there a reaper frees what a dead task left.
#pragma once

#include "core/cell/heap.h"

namespace ipcell {

struct ArrayBlock {
  u64 free_link;  // FreeBlock::next
  u64 leaves;     // 0: the elements follow; else the offsets of so many leaves

  u8* bytes() { return reinterpret_cast<u8*>(this + 1); }
  u64* leaf_offsets() { return reinterpret_cast<u64*>(this + 1); }
};

// Bytes of elements in a leaf; a power of two, and so is an element's size.
constexpr u64 kLeafBytes = 8192;
static_assert(sizeof(ArrayBlock) + kLeafBytes <= kLargestBlock);
constexpr u64 kArrayLeavesMax = (kLargestBlock - sizeof(ArrayBlock)) / sizeof(u64);

// Builds an array of `bytes` zeros in task.rec->array, which is 0. 0, -ENOMEM (nothing is left),
// -EIO. Takes the heap lock.
int build_array(Task& task, u64 bytes);

// Frees the array that `owner` names, if any: a field of the task's own, or of a task being reaped.
void free_array(Task& task, u64& owner);

// The byte at `at`, or nullptr if no array of that size is there.
u8* array_leaf_at(const Cell& cell, u64 root, u64 at);

template <class T>
IPCELL_ALWAYS_INLINE T* array_at(const Cell& cell, u64 root, u64 index) {
  static_assert((sizeof(T) & (sizeof(T) - 1)) == 0);
  ArrayBlock* block = cell.at<ArrayBlock>(root);
  const u64 at = index * sizeof(T);
  if (block != nullptr && block->leaves == 0 && at < kLeafBytes) [[likely]]
    return reinterpret_cast<T*>(block->bytes() + at);
  return reinterpret_cast<T*>(array_leaf_at(cell, root, at));
}

}  // namespace ipcell
