#include "tests/crash/used_pages.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace crash {

using ipcell::CellLayout;
using ipcell::Registry;

UsedPages::UsedPages(const ipcell::Cell& cell) : cell_(cell) {
  void* memory = mmap(nullptr, ipcell::kCellSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  copy_ = static_cast<unsigned char*>(memory);
  (void)has_changed();
}

UsedPages::~UsedPages() { munmap(copy_, ipcell::kCellSize); }

bool UsedPages::update(std::uint64_t offset, std::uint64_t size) {
  if (std::memcmp(copy_ + offset, cell_.base() + offset, size) == 0) return false;
  std::memcpy(copy_ + offset, cell_.base() + offset, size);
  return true;
}

// What is above a class's watermark was never handed out.
bool UsedPages::update_heap() {
  const ipcell::Heap& heap = cell_.layout().heap;
  bool changed = false;
  for (std::uint64_t chunk = 0; chunk < heap.chunks_used; ++chunk) {
    const std::uint64_t start = ipcell::kHeapOffset + chunk * ipcell::kChunkSize;
    std::uint64_t size = ipcell::kChunkSize;
    for (const ipcell::ClassHeap& heap_class : heap.classes) {
      if (heap_class.bump - start - 1 < size) size = heap_class.bump - start;
    }
    changed |= update(start, size);
  }
  return changed;
}

bool UsedPages::has_changed() {
  const std::uint64_t slots = cell_.header().slots_high;
  bool changed = update(0, offsetof(CellLayout, heap) + offsetof(ipcell::Heap, chunk_class) + 4096);
  for (int family : {ipcell::kFamilyMsg, ipcell::kFamilySem, ipcell::kFamilyShm}) {
    const std::uint64_t registry = offsetof(CellLayout, registries) + family * sizeof(Registry);
    changed |= update(registry, offsetof(Registry, entries) + 4096);
  }
  changed |= update(offsetof(CellLayout, processes), sizeof(ipcell::ProcessTable));
  changed |= update(offsetof(CellLayout, mqueues), sizeof(ipcell::MqueueTable));
  changed |= update(offsetof(CellLayout, segment_space), sizeof(ipcell::SegmentSpace));
  changed |= update(offsetof(CellLayout, task_states), (slots + 1) * sizeof(std::uint64_t));
  changed |= update(offsetof(CellLayout, tasks), (slots + 1) * sizeof(ipcell::TaskPage));
  return update_heap() || changed;
}

}  // namespace crash
