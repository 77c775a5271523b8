// SEM_UNDO: what is to be undone at the end of a process. docs/locking.md, "SEM_UNDO".
//
// The kernel does it at exit; here whoever looks at a set does it for the processes that it finds
// dead, before anything else.
#pragma once

#include "core/ipc/sem.h"

namespace ipcell {

// A process that used SEM_UNDO. Linux: ipc/sem.c:struct sem_undo_list. Guarded by the process
// table's lock, and so are the proc links of its UndoRecs.
struct UndoProcess {
  u64 free_link;  // FreeBlock::next
  i32 pid;
  i32 tid;  // 0; or the one thread whose list this is, after unshare(CLONE_SYSVSEM)
  u64 start_time;
  u64 pid_namespace;
  u64 next;   // in the bucket
  u64 undos;  // UndoRecs, the newest first
};
static_assert(sizeof(UndoProcess) <= kBlockSize[static_cast<u32>(BlockClass::UndoProcess)]);

constexpr u32 kInlineAdjustments = 16;

// A process's adjustments for one set. Linux: ipc/sem.c:struct sem_undo. Guarded by the set's lock,
// but for the proc links.
struct UndoRec {
  u64 free_link;  // FreeBlock::next
  u64 process;    // UndoProcess
  u64 set;        // SemSetRec
  i32 set_id;
  u32 live;      // 1 while it is in the lists of its set and its process
  u32 witness;   // task slot + 1 of a thread of the process; kNoSlot: none is known
  u32 nonzero;   // adjustments that are not 0, those of an earlier epoch included
  u32 is_spent;  // 1: the process is dead, and this was done
  u64 proc_next, proc_prev;
  u64 set_next, set_prev;
  u64 armed_next, armed_prev;  // while nonzero != 0
  u64 array;                   // adjustments of a larger set, else 0
  u64 adjustments[kInlineAdjustments];
};
static_assert(sizeof(UndoRec) <= kBlockSize[static_cast<u32>(BlockClass::Undo)]);

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

// Notes the new number of adjustments that are not 0, in the caller's transaction.
void set_nonzero(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo, u32 nonzero);

// The process's record for the set, whose lock is held; nullptr if it has none yet.
UndoRec* find_undo(Task& task, const SemSetRec& set);
// Makes one, with no lock held, if another thread was not faster. 0, -EINVAL (no such set), -EIDRM,
// -ENOMEM, -EIO. Linux: ipc/sem.c:find_alloc_undo()
int make_undo(Task& task, i32 id);

// The deaths of these tasks are worth waking for: a sleeper's watch list.
void watch_holders(const Task& task, const SemSetRec& set, WaitPlan& plan);

// Takes all UndoRecs of a removed set out of their lists and frees them; no lock is held.
void free_undos_of_set(Task& task, u64 set_offset);

// A task joins its process: what the process left to undo, before an exec or by threads that have
// ended, has a living witness again.
void join_process(Task& task);
// A dead task's slot is about to be freed: if its process is gone as well, its adjustments are made
// and freed; else they get another witness.
void reap_undo(Task& reaper, const TaskRec& dead, u32 dead_slot);

}  // namespace ipcell
