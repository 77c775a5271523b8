#include "tests/unit/heap_census.h"

#include <unordered_set>

namespace ipcell::test {

namespace {

class Counter {
 public:
  explicit Counter(const Cell& cell) : cell_(cell) {}

  HeapCensus count() {
    const Heap& heap = cell_.layout().heap;
    for (u32 chunk = 0; chunk < heap.chunks_used; ++chunk) {
      const u32 index = heap.chunk_class[chunk] - 1u;
      if (index >= kBlockClasses) {
        census_.is_sound = false;
      } else {
        census_.in_use[index] += kChunkSize / kBlockSize[index];
      }
    }
    for (u32 index = 0; index < kBlockClasses; ++index) {
      const ClassHeap& heap_class = heap.classes[index];
      census_.in_use[index] -= (heap_class.bump_end - heap_class.bump) / kBlockSize[index];
      const u64 free = take_away(index, heap_class.free.head);
      if (free != heap_class.free.count) census_.is_sound = false;
      for (u32 slot = 1; slot <= cell_.header().slots_high; ++slot) {
        if (cell_.layout().task_states[slot - 1] == kTaskLive) {
          take_away(index, cell_.task(slot)->cache[index]);
        }
      }
    }
    return census_;
  }

 private:
  // The list's length.
  u64 take_away(u32 index, u64 head) {
    u64 blocks = 0;
    for (u64 offset = head; offset != 0; ++blocks) {
      const FreeBlock* block = cell_.at<FreeBlock>(offset);
      if (block == nullptr || !seen_.insert(offset).second || !is_of_class(index, offset)) {
        census_.is_sound = false;
        break;
      }
      offset = block->next;
    }
    if (blocks > census_.in_use[index]) census_.is_sound = false;
    census_.in_use[index] -= blocks;
    return blocks;
  }

  bool is_of_class(u32 index, u64 offset) const {
    const u64 place = offset - kHeapOffset;
    return cell_.layout().heap.chunk_class[place / kChunkSize] == index + 1 &&
           place % kChunkSize % kBlockSize[index] == 0;
  }

  const Cell& cell_;
  HeapCensus census_;
  std::unordered_set<unsigned long long> seen_;
};

}  // namespace

u64 HeapCensus::total() const {
  u64 sum = 0;
  for (u64 count : in_use) sum += count;
  return sum;
}

HeapCensus take_census(const Cell& cell) { return Counter(cell).count(); }

}  // namespace ipcell::test
