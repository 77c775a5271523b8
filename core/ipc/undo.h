// SEM_UNDO: what is to be undone at the end of a process. docs/locking.md, "SEM_UNDO".
//
// The kernel does it at exit; here whoever looks at a set does it for the processes that it finds
// dead, before anything else.
#pragma once

#include "core/ipc/sem.h"

namespace ipcell {

// Linux: include/uapi/linux/sem.h:SEMAEM, the largest adjustment.
constexpr i32 kAdjustmentMax = 32767;
constexpr i32 kAdjustmentMin = -kAdjustmentMax - 1;

// An adjustment word: the semaphore's epoch, and the value.
constexpr u64 pack_adjustment(u64 epoch, i32 value) {
  return epoch << 16 | static_cast<u16>(value);
}
inline i32 adjustment_of(u64 word, const Semaphore& sem) {
  return word >> 16 == (sem.epoch & ~0ull >> 16) ? static_cast<std::int16_t>(word & 0xffff) : 0;
}
// nullptr if the cell is damaged.
inline u64* adjustment_at(const Cell& cell, UndoRec& undo, u32 num) {
  if (undo.array == 0) return num < kInlineAdjustments ? &undo.adjustments[num] : nullptr;
  return array_at<u64>(cell, undo.array, num);
}

// The process's record for the set, whose lock is held; nullptr if it has none yet.
UndoRec* find_undo(Task& task, const SemSetRec& set);
// Makes one, with no lock held, if another thread was not faster. 0, -EINVAL (no such set), -EIDRM,
// -ENOMEM, -EIO. Linux: ipc/sem.c:find_alloc_undo()
int make_undo(Task& task, i32 id);

// The deaths of these tasks are worth waking for: a sleeper's watch list. False if there are more
// than it can hold.
bool watch_holders(const Task& task, const SemSetRec& set, WaitPlan& plan);

// Takes all UndoRecs of a removed set out of their lists and frees them; no lock is held.
void free_undos_of_set(Task& task, u64 set_offset);

// Does for the record what the end of its process does, and takes it out of all lists; the process
// table is locked. False if the cell is damaged.
bool bury_undo(Task& task, UndoRec& undo);

}  // namespace ipcell
