// Blocks of the heap, taken and given as the operations do it.
#pragma once

#include <utility>

#include "core/cell/heap.h"

namespace ipcell::test {

// A block that the task owns in `owner`, an empty field of its TaskRec. 0 or -errno.
inline int take_block(Task& task, BlockClass block_class, u64& owner) {
  ReservedBlock block;
  if (const int error = block.reserve(task, block_class)) return error;
  Journal journal(task);
  block.take(journal, task);
  journal.set(owner, block.offset());
  journal.commit();
  return 0;
}

// A block that only the caller knows of, 0 if there is none.
inline u64 take_block(Task& task, BlockClass block_class) {
  u64& owner = task.rec->in_flight;
  if (take_block(task, block_class, owner) != 0) return 0;
  const u64 offset = owner;
  owner = 0;
  return offset;
}

inline void give_block(Task& task, u64 offset) {
  task.rec->in_flight = offset;
  free_block(task, task.rec->in_flight);
}

// How many free blocks of the class the task keeps for itself.
inline u64 count_kept(const Cell& cell, const TaskRec& rec, BlockClass block_class) {
  u64 count = 0;
  for (u64 offset = rec.cache[static_cast<u32>(block_class)]; offset != 0; ++count) {
    offset = cell.at<FreeBlock>(offset)->next;
  }
  return count;
}

// While it lives the heap gets no chunk any more: what is free in the used ones is all there is.
class FullHeap {
 public:
  explicit FullHeap(const Cell& cell)
      : chunks_(cell.layout().heap.chunks_used), kept_(std::exchange(chunks_, kChunks - 1)) {}
  ~FullHeap() { chunks_ = kept_; }
  FullHeap(const FullHeap&) = delete;
  FullHeap& operator=(const FullHeap&) = delete;

 private:
  u32& chunks_;
  u32 kept_;
};

}  // namespace ipcell::test
