#include "core/cell/heap.h"

namespace ipcell {

namespace {

// The last of the first `count` blocks of a list, or nullptr for a broken list.
FreeBlock* nth_block(const Cell& cell, u64 head, u64 count) {
  FreeBlock* block = cell.at<FreeBlock>(head);
  for (u64 n = 1; n < count && block != nullptr; ++n) block = cell.at<FreeBlock>(block->next);
  return block;
}

// Hands out `count` blocks that were never used. Their links are written directly: nobody reaches
// memory above `bump` until the transaction that moves it.
bool carve_blocks(Journal& journal, const Cell& cell, ClassHeap& heap_class, u64& cache, u64 size,
                  u64 count) {
  const u64 first = heap_class.bump;
  u8* const place = cell.address_of(first);
  if (place == nullptr) return false;
  for (u64 n = 0; n < count; ++n) {
    auto* block = reinterpret_cast<FreeBlock*>(place + n * size);
    block->next = n + 1 < count ? first + (n + 1) * size : 0;
  }
  kill_barrier();
  journal.set(heap_class.bump, first + count * size);
  journal.set(cache, first);
  return true;
}

// Takes a fresh chunk for the class. Memory is put behind it before the lock is taken: the zeroing
// takes longer than anybody should wait for a lock, and is harmless if another was faster.
int add_chunk(Task& task, u32 class_index) {
  const Cell& cell = *task.cell;
  Heap& heap = cell.layout().heap;
  const u32 chunk = load_relaxed(heap.chunks_used);
  // The last stays unused: see Cell::at().
  if (chunk >= kChunks - 1) return -ENOMEM;
  const u64 offset = kHeapOffset + chunk * kChunkSize;
  if (const int error = cell.populate(offset, kChunkSize)) return error;

  Locked locked(task, heap.lock);
  ClassHeap& heap_class = heap.classes[class_index];
  // Another took it, or added one to this class: look again.
  if (heap.chunks_used != chunk || heap_class.bump != heap_class.bump_end) return 0;
  heap.chunk_class[chunk] = static_cast<u8>(class_index + 1);
  kill_barrier();
  Journal journal(task);
  journal.set(heap.chunks_used, chunk + 1);
  journal.set(heap_class.bump, offset);
  // Only whole blocks: the end is where the last one ends.
  const u64 size = kBlockSize[class_index];
  journal.set(heap_class.bump_end, offset + kChunkSize / size * size);
  journal.commit();
  return 0;
}

// Moves some blocks from the heap to the task's own list, which is empty. 0 if there is one now,
// -EAGAIN if the class needs a chunk, -EIO.
int refill_from_heap(Task& task, u32 class_index) {
  const Cell& cell = *task.cell;
  Heap& heap = cell.layout().heap;
  u64& cache = task.rec->cache[class_index];
  u64 count = kCacheLimit[class_index] / 2;

  Locked locked(task, heap.lock);
  ClassHeap& heap_class = heap.classes[class_index];
  Journal journal(task);
  if (heap_class.free.count != 0) {
    if (heap_class.free.count < count) count = heap_class.free.count;
    FreeBlock* last = nth_block(cell, heap_class.free.head, count);
    if (last == nullptr) return cell.poison("a free list of the heap is broken");
    journal.set(cache, static_cast<u64>(heap_class.free.head));
    journal.set(heap_class.free.head, static_cast<u64>(last->next));
    journal.set(heap_class.free.count, heap_class.free.count - count);
    journal.set(last->next, 0);
  } else {
    const u64 size = kBlockSize[class_index];
    if (heap_class.bump > heap_class.bump_end || heap_class.bump_end > kCellSize ||
        heap_class.bump % 64 != 0) {
      return cell.poison("the heap's watermark is outside of the cell");
    }
    const u64 left = (heap_class.bump_end - heap_class.bump) / size;
    if (left * size != heap_class.bump_end - heap_class.bump) {
      return cell.poison("the heap's watermark is not at a block");
    }
    if (left == 0) return -EAGAIN;
    if (left < count) count = left;
    if (!carve_blocks(journal, cell, heap_class, cache, size, count))
      return cell.poison("the heap's chunk can't be reached");
  }
  journal.commit();
  task.cache_count[class_index] = static_cast<u8>(count);
  return 0;
}

// Gives the first `count` blocks of a task's list to the heap.
bool give_back(Task& task, u32 class_index, u64& cache, u64 count) {
  FreeList& free = task.cell->layout().heap.classes[class_index].free;
  Locked locked(task, task.cell->layout().heap.lock);
  FreeBlock* last = nth_block(*task.cell, cache, count);
  if (last == nullptr) {
    task.cell->poison("a task's free list is broken");
    return false;
  }
  Journal journal(task);
  const u64 first = cache;
  journal.set(cache, static_cast<u64>(last->next));
  journal.set(last->next, static_cast<u64>(free.head));
  journal.set(free.head, first);
  journal.set(free.count, free.count + count);
  journal.commit();
  return true;
}

// Length of a task's list, as far as one can be.
u64 list_length(const Cell& cell, u64 head, u64 limit) {
  u64 count = 0;
  for (const FreeBlock* block = cell.at<FreeBlock>(head); block != nullptr && count < limit;
       ++count) {
    block = cell.at<FreeBlock>(block->next);
  }
  return count;
}

void trim_cache(Task& task, u32 class_index) {
  const u32 count = kCacheLimit[class_index] / 2;
  if (give_back(task, class_index, task.rec->cache[class_index], count))
    task.cache_count[class_index] -= static_cast<u8>(count);
}

}  // namespace

IPCELL_NOINLINE int refill_cache(Task& task, u32 class_index) {
  for (;;) {
    const int error = refill_from_heap(task, class_index);
    if (error != -EAGAIN) return error;
    if (const int chunk_error = add_chunk(task, class_index)) return chunk_error;
  }
}

void free_block(Task& task, u64& owner, u64 next_owned) {
  const u64 offset = owner;
  const u32 class_index = static_cast<u32>(class_of_block(*task.cell, offset));
  FreeBlock* block = task.cell->at<FreeBlock>(offset);
  if (block == nullptr || class_index >= kBlockClasses) [[unlikely]] {
    task.cell->poison("a task owns a block outside of the heap");
    return;
  }
  u64& cache = task.rec->cache[class_index];
  block->next = cache;  // the block is the task's alone until the commit
  kill_barrier();
  Journal journal(task);
  journal.set(cache, offset);
  journal.set(owner, next_owned);
  journal.commit();
  if (++task.cache_count[class_index] > kCacheLimit[class_index]) [[unlikely]]
    trim_cache(task, class_index);
}

IPCELL_COLD void trim_full_caches(Task& task) {
  for (u32 class_index = 0; class_index < kBlockClasses; ++class_index) {
    if ((task.full_cache >> class_index & 1) != 0) trim_cache(task, class_index);
  }
  task.full_cache = 0;
}

void drain_caches(Task& task, TaskRec& rec) {
  for (u32 class_index = 0; class_index < kBlockClasses; ++class_index) {
    u64& cache = rec.cache[class_index];
    if (cache == 0) continue;
    // One longer than it can be may be a ring.
    const u64 limit = kCacheLimit[class_index] + 2;
    const u64 count = list_length(*task.cell, cache, limit);
    if (count == 0 || count == limit) {
      task.cell->poison("a task's free list is broken");
      return;
    }
    if (!give_back(task, class_index, cache, count)) return;
  }
}

}  // namespace ipcell
