#include "core/cell/array.h"

#include <cerrno>

namespace ipcell {

namespace {

// Reserves a block with room for `bytes`, and clears it: it still is in the task's own free list.
int reserve_zeroed(Task& task, ReservedBlock& block, u64 bytes) {
  if (const int error = block.reserve(task, class_for(sizeof(ArrayBlock) + bytes))) return error;
  auto* array = block.as<ArrayBlock>();
  array->leaves = 0;
  __builtin_memset(array->bytes(), 0, static_cast<std::size_t>(bytes));
  return 0;
}

// Adds a block to what the task owns, at `place`.
int take_zeroed(Task& task, u64& place, u64 bytes, u64 leaves) {
  ReservedBlock block;
  if (const int error = reserve_zeroed(task, block, bytes)) return error;
  block.as<ArrayBlock>()->leaves = leaves;
  Journal journal(task);
  block.take(journal, task);
  journal.set(place, block.offset());
  journal.commit();
  return 0;
}

int build_leaves(Task& task, u64 bytes) {
  const u64 leaves = (bytes + kLeafBytes - 1) / kLeafBytes;
  if (leaves > kArrayLeavesMax) return -ENOMEM;
  u64& root = task.rec->array;
  if (const int error = take_zeroed(task, root, leaves * sizeof(u64), leaves)) return error;
  u64* offsets = task.cell->at<ArrayBlock>(root)->leaf_offsets();
  for (u64 n = 0; n < leaves; ++n) {
    const u64 left = bytes - n * kLeafBytes;
    const int error = take_zeroed(task, offsets[n], left < kLeafBytes ? left : kLeafBytes, 0);
    if (error != 0) return error;
  }
  return 0;
}

}  // namespace

int build_array(Task& task, u64 bytes) {
  if (bytes <= kLeafBytes) return take_zeroed(task, task.rec->array, bytes, 0);
  const int error = build_leaves(task, bytes);
  if (error != 0) free_array(task, task.rec->array);
  return error;
}

void free_array(Task& task, u64& owner) {
  if (owner == 0) return;
  ArrayBlock* root = task.cell->at<ArrayBlock>(owner);
  if (root == nullptr || root->leaves > kArrayLeavesMax) {
    task.cell->poison("an array is outside of the heap");
    return;
  }
  for (u64 n = 0; n < root->leaves && !task.cell->is_poisoned(); ++n) {
    if (root->leaf_offsets()[n] != 0) free_block(task, root->leaf_offsets()[n]);
  }
  free_block(task, owner);
}

IPCELL_NOINLINE u8* array_leaf_at(const Cell& cell, u64 root, u64 at) {
  ArrayBlock* block = cell.at<ArrayBlock>(root);
  const u64 leaf = at / kLeafBytes;
  if (block == nullptr || block->leaves > kArrayLeavesMax || leaf >= block->leaves) return nullptr;
  ArrayBlock* elements = cell.at<ArrayBlock>(block->leaf_offsets()[leaf]);
  return elements != nullptr ? elements->bytes() + at % kLeafBytes : nullptr;
}

}  // namespace ipcell
