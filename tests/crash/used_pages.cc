#include "tests/crash/used_pages.h"

#include <cstring>

namespace crash {

bool UsedPages::update(std::uint64_t offset, std::uint64_t size) {
  const bool is_new = copy_.size() < used_ + size;
  if (is_new) copy_.resize(used_ + size);
  unsigned char* old = copy_.data() + used_;
  const unsigned char* now = cell_.base() + offset;
  used_ += size;
  if (!is_new && std::memcmp(old, now, size) == 0) return false;
  std::memcpy(old, now, size);
  return true;
}

bool UsedPages::has_changed() {
  using ipcell::CellLayout;
  constexpr std::uint64_t kMsg = offsetof(CellLayout, registries);
  constexpr std::uint64_t kTasks = 16;  // more than a run has
  used_ = 0;
  bool changed = update(0, offsetof(CellLayout, heap) + offsetof(ipcell::Heap, chunk_class) + 4096);
  changed |= update(kMsg, offsetof(ipcell::Registry, entries) + 4096);
  changed |= update(offsetof(CellLayout, task_states), kTasks * 8);
  changed |= update(offsetof(CellLayout, tasks), kTasks * sizeof(ipcell::TaskPage));
  // Last, for it grows. What is above has no owner yet.
  changed |= update(ipcell::kHeapOffset, cell_.layout().heap.chunks_used * ipcell::kChunkSize);
  return changed;
}

}  // namespace crash
