// The heap: blocks of fixed sizes for records and message texts.
//
// Each task keeps a few free blocks of each class for itself, so that the usual send and receive
// take no lock but the queue's. A block in use is always named by exactly one place: a record's
// field, or an *owner* field of a task's TaskRec, from which a reaper frees it.
#pragma once

#include "core/cell/lock.h"

namespace ipcell {

// Makes sure that the task keeps a free block of the class. 0, or -ENOMEM when heap or filesystem
// are full, -EIO. Takes the heap lock at most.
int refill_cache(Task& task, u32 class_index);

// A block that is still in the task's own free list, where nobody else reaches it: it can be filled
// without a transaction, and forgotten without one.
class ReservedBlock {
 public:
  // Reserves a block: 0 or -errno.
  int reserve(Task& task, BlockClass block_class) {
    const u32 class_index = static_cast<u32>(block_class);
    if (task.rec->cache[class_index] == 0) [[unlikely]] {
      if (const int error = refill_cache(task, class_index)) return error;
    }
    offset_ = task.rec->cache[class_index];
    class_index_ = class_index;
    block_ = task.cell->at<FreeBlock>(offset_);
    return block_ != nullptr ? 0 : task.cell->poison("a task's free list is broken");
  }
  u64 offset() const { return offset_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(block_);
  }
  // Takes it out of the free list, in the transaction that gives it its place.
  void take(Journal& journal, Task& task) const {
    journal.set(task.rec->cache[class_index_], static_cast<u64>(block_->next));
    --task.cache_count[class_index_];
  }

 private:
  u64 offset_ = 0;
  u32 class_index_ = 0;
  FreeBlock* block_ = nullptr;
};

// The smallest class of plain memory whose blocks have `size` bytes, link included; the largest if
// none has.
constexpr BlockClass class_for(u64 size) {
  // All but the largest are powers of two.
  constexpr u32 kLargest = static_cast<u32>(BlockClass::Bytes8256);
  if (size <= kBlockSize[0]) return BlockClass::Bytes64;
  const u32 index = 58 - static_cast<u32>(__builtin_clzll(size - 1));
  return static_cast<BlockClass>(index < kLargest ? index : kLargest);
}
static_assert(class_for(64) == BlockClass::Bytes64 && class_for(65) == BlockClass::Bytes128 &&
              class_for(4096) == BlockClass::Bytes4096 &&
              class_for(4097) == BlockClass::Bytes8256 && class_for(9999) == BlockClass::Bytes8256);

// Gives the block that `owner` names back and stores `next_owned` there, in one transaction.
void free_block(Task& task, u64& owner, u64 next_owned = 0);

// Gives the block back in the caller's transaction, which takes it from its place.
IPCELL_ALWAYS_INLINE void free_in_transaction(Journal& journal, Task& task, u64 offset,
                                              u32 class_index) {
  FreeBlock* const block = task.cell->at<FreeBlock>(offset);
  u64& cache = task.rec->cache[class_index];
  // The link is the heap's alone, also while the block is in use.
  block->next = cache;
  kill_barrier();
  journal.set(cache, offset);
  ++task.cache_count[class_index];
  task.full_cache |=
      task.cache_count[class_index] > kCacheLimit[class_index] ? 1u << class_index : 0;
}
// Gives the heap what the task has too much by that. It is in no transaction.
void trim_full_caches(Task& task);
inline void trim_caches(Task& task) {
  if (task.full_cache != 0) [[unlikely]]
    trim_full_caches(task);
}

// The class of the block at `offset`, or BlockClass::Count if no block can be there.
inline BlockClass class_of_block(const Cell& cell, u64 offset) {
  if (offset - kHeapOffset >= kHeapSize) return BlockClass::Count;
  const u32 mark = cell.layout().heap.chunk_class[(offset - kHeapOffset) / kChunkSize];
  return mark - 1 < kBlockClasses ? static_cast<BlockClass>(mark - 1) : BlockClass::Count;
}

// Gives all the blocks that `rec` keeps for itself to the heap. For reap(): the caller holds the
// reap lock, and `rec` is dead; or it is the task's own.
void drain_caches(Task& task, TaskRec& rec);

}  // namespace ipcell
