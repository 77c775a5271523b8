// System V semaphores: records, and what the files of this family share.
//
//   sem.cc        semget, semop, semtimedop
//   sem_ctl.cc    semctl
//   sem_wait.cc   making operations, blocked ones, the pass that completes them
//   undo.*        SEM_UNDO: adjustments of processes, and what happens at their death
//
// One invariant carries the waiting: whenever the set's lock is free, no sleeper's operations could
// be made. Whoever changes the set makes a pass over its sleepers before letting go (`unsettled` is
// set meanwhile: if the one who does it dies, the next to lock the set makes it).
#pragma once

#include "core/cell/array.h"
#include "core/ipc/holds.h"
#include "core/ipc/registry.h"
#include "core/ipc/wait.h"

namespace ipcell {

// A semaphore's value and who changed it last, in one word: one store sets both.
struct SemState {
  u16 value;
  u16 pad;
  i32 pid;
};

// Linux: ipc/sem.c:struct sem. An element of the set's array; guarded by the set's lock.
struct Semaphore {
  u64 state;  // SemState
  u64 epoch;  // adjustments of an earlier epoch are void; counts SETVALs and SETALLs
  // Those who wait for this semaphore alone, and want to change it or to see it 0.
  WaitList alter, zero;

  SemState get() const {
    return __builtin_bit_cast(SemState, static_cast<unsigned long long>(state));
  }
};
static_assert(sizeof(Semaphore) == 32);

constexpr u64 pack_state(u32 value, i32 pid) {
  return __builtin_bit_cast(unsigned long long, SemState{static_cast<u16>(value), 0, pid});
}

// Linux: ipc/sem.c:struct sem_array. Guarded by lock.
struct SemSetRec {
  u64 free_link;  // FreeBlock::next
  LockWord lock;  // never initialised: it is valid in free records too (stale ids meet it)
  u32 live;       // 1 from creation to removal
  PermRec perm;
  i64 otime, ctime;  // seconds since the epoch
  u64 sems;          // array of Semaphores
  u32 nsems;
  u32 waiters;  // sleepers in all lists
  // Those who wait for several semaphores; while there are any, `merged` is 1 and `alter` has all
  // that would change one, in one order.
  WaitList alter, zero;
  u32 complex_count;  // sleepers that wait for several
  u32 merged;
  u32 unsettled;  // 1: the file head's invariant is to be restored by whoever has the lock
  u32 pad;
  HoldLists holds;  // UndoRecs of the processes that named this set with SEM_UNDO
  u64 burying;      // the one of a dead process that is being added, 0 if none
};
static_assert(kHasObjectHead<SemSetRec>);
static_assert(sizeof(SemSetRec) <= kBlockSize[static_cast<u32>(BlockClass::SemSet)]);

inline Registry& sem_registry(const Cell& cell) { return cell.layout().registries[kFamilySem]; }

// nullptr if the cell is damaged. `num` is below nsems.
IPCELL_ALWAYS_INLINE Semaphore* semaphore_at(const Cell& cell, const SemSetRec& set, u32 num) {
  return array_at<Semaphore>(cell, set.sems, num);
}

constexpr u32 kInlineAdjustments = 16;

// A process's adjustments for one set; `amount` counts those that are not 0, of an earlier epoch
// included. Guarded as HoldRec is. Linux: ipc/sem.c:struct sem_undo
struct UndoRec {
  HoldRec hold;
  u64 array;  // adjustments of a larger set, else 0
  u64 adjustments[kInlineAdjustments];
};
static_assert(sizeof(UndoRec) <= kBlockSize[static_cast<u32>(BlockClass::Undo)]);
inline UndoRec& undo_of(HoldRec& hold) { return reinterpret_cast<UndoRec&>(hold); }

// Operations to be made: the caller's own, or a sleeper's.
struct SemCall {
  const SemOp* ops;
  u32 count;
  i32 pid;
  UndoRec* undo;  // nullptr without SEM_UNDO
};

// More operations than this are not taken, whatever the limit says: they fit into one block.
constexpr u32 kSemOpsMax = 1024;
// How soon a sleeper looks again at a process that seems to be ending.
constexpr i64 kFirstLookNs = 20'000;
// How often it looks while there are holders whose deaths it can't wait for.
constexpr i64 kCrowdedNs = 25'000'000;
// What a call may store besides two words for each operation.
constexpr u32 kCallStores = 40;

// --- sem_wait.cc; all with the set's lock held

// perform() gave up because the operations can't be made now.
constexpr int kWouldBlock = 1;
// Makes the operations in the caller's transaction, which has nothing else yet. 0; kWouldBlock with
// the index of the operation that can't be made, -EAGAIN, -ERANGE, -EIO: then nothing is left of
// it. Linux: ipc/sem.c:perform_atomic_semop()
int perform(Task& task, Journal& journal, SemSetRec& set, const SemCall& call, u32* blocking);

// Completes the sleepers that can go on after these operations, or after any change if `ops` is
// nullptr. Linux: ipc/sem.c:do_smart_update()
void complete_sleepers(Task& task, SemSetRec& set, const SemOp* ops, u32 count, WakeList& wakes);

// Puts the task to sleep: queues the operations that perform() could not make. kWaitPending, or
// -ENOMEM, -EIO.
i64 enqueue_semop(Task& task, SemSetRec& set, const SemCall& call, u32 blocking);

// After a pass, before the lock is given back. Linux: ipc/sem.c:unmerge_queues()
void end_change(Task& task, SemSetRec& set);

// Restores the invariant, whatever was left undone.
void settle(Task& task, SemSetRec& set, WakeList& wakes);

// The lists that the node is in. nullptr if the cell is damaged.
WaitList* list_of(const Cell& cell, SemSetRec& set, const WaitNode& node);
// Takes the sleeper out of its list, in the caller's transaction. False if the list is broken.
bool unlink_semop(Task& task, Journal& journal, SemSetRec& set, u32 slot);

// Takes the sleeping task off its set with `result`. True if the operation was taken back; false if
// it was already finished.
bool cancel_sem_wait(Task& task, i64 result);

// Calls `visit(list)` for each of the set's lists of waiters, until it returns false.
template <class Visit>
bool for_each_wait_list(const Cell& cell, SemSetRec& set, Visit visit) {
  if (!visit(set.alter) || !visit(set.zero)) return false;
  for (u32 num = 0; num < set.nsems; ++num) {
    Semaphore* sem = semaphore_at(cell, set, num);
    if (sem == nullptr) return true;
    if (!visit(sem->alter) || !visit(sem->zero)) return false;
  }
  return true;
}

// Tears the removed set of task.rec->destroying down: sleepers get EIDRM, memory is freed.
void tear_down_set(Task& task);
// What a task that died in a semop left: its place in a list.
void reap_sem_wait(Task& reaper, TaskRec& dead, u32 dead_slot);

// --- undo.cc

// Does what the kernel does at the end of each dead process, for this set. Leaves it settled.
// True if a process may be about to die: it has no living witness, and is not gone.
bool bury_dead(Task& task, SemSetRec& set, Dead which, WakeList& wakes);

// A set's record with its lock held, everything undone that the dead had to undo, and settled.
class LockedSet {
 public:
  LockedSet(Task& task, u64 offset, Dead which = Dead::Armed)
      : task_(task), set_(class_of_block(*task.cell, offset) == BlockClass::SemSet
                              ? task.cell->at<SemSetRec>(offset)
                              : nullptr),
        wakes_(*task.cell) {
    if (set_ == nullptr) [[unlikely]] {
      task.cell->poison("an identifier leads to no semaphore set");
      return;
    }
    lock(task_, set_->lock);
    const bool is_clean = (set_->unsettled | set_->burying) == 0 && is_nobody_else_armed();
    if (!is_clean || which == Dead::All) [[unlikely]]
      clear_up(which);
  }
  ~LockedSet() {
    if (set_ != nullptr) unlock(task_, set_->lock);
  }
  LockedSet(const LockedSet&) = delete;
  LockedSet& operator=(const LockedSet&) = delete;

  // False if the offset was no set's; poisoned then, or 0.
  explicit operator bool() const { return set_ != nullptr; }
  // True if it still is the object of that id.
  bool is(i32 id) const { return set_->live != 0 && set_->perm.id == id; }
  // True if a process is between its last instruction and its end.
  bool is_somebody_dying() const { return is_somebody_dying_; }
  SemSetRec* operator->() const { return set_; }
  SemSetRec& operator*() const { return *set_; }
  WakeList& wakes() { return wakes_; }

 private:
  // True if no other process could have died with something to undo.
  bool is_nobody_else_armed() const {
    if (set_->holds.armed == 0) return true;
    const HoldRec* undo = task_.cell->at<HoldRec>(set_->holds.armed);
    return undo != nullptr && undo->process == task_.undo_process && undo->armed_next == 0;
  }
  void clear_up(Dead which);

  Task& task_;
  SemSetRec* set_;
  WakeList wakes_;  // flushed when the lock is free again
  bool is_somebody_dying_ = false;
};

}  // namespace ipcell
