#include "core/ipc/undo.h"

#include <cerrno>

#include "core/ipc/limits.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// Semaphores that are adjusted in one transaction.
constexpr u32 kAdjustedAtOnce = 64;
static_assert(2 * kAdjustedAtOnce + 2 <= kJournalEntries);

UndoRec* undo_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Undo ? cell.at<UndoRec>(offset) : nullptr;
}

i32 undo_tid(const Task& task) { return task.is_undo_apart ? task.identity.tid : 0; }

// --------------------------------------------------------------------------- burying

// Adds one adjustment of the dead process, in the open transaction. True if there was one.
bool apply(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo, u32 num, i32 pid) {
  u64* word = adjustment_at(cell, undo, num);
  Semaphore* sem = semaphore_at(cell, set, num);
  if (word == nullptr || sem == nullptr) {
    cell.poison(kBrokenHolds);
    return false;
  }
  if ((*word & 0xffff) == 0) return false;
  if (const i32 adjustment = adjustment_of(*word, *sem)) {
    i32 value = sem->get().value + adjustment;
    if (value < 0) value = 0;
    if (value > SEMVMX) value = SEMVMX;
    journal.set_if_changed(sem->state, pack_state(static_cast<u32>(value), pid));
  }
  journal.set(*word, 0);
  return true;
}

// Does for one set what the kernel does when the process ends; the set is left to be settled. If
// the task dies in it, the next goes on: an adjustment that was added is 0 then.
// Linux: ipc/sem.c:exit_sem()
void bury(Task& task, SemSetRec& set, UndoRec& undo) {
  const Cell& cell = *task.cell;
  const ProcessRec* process = process_at(cell, undo.hold.process);
  if (process == nullptr) {
    cell.poison(kBrokenHolds);
    return;
  }
  Journal journal(task);
  journal.set_if_changed(set.burying, cell.offset_of(&undo));
  journal.commit();
  u32 adjusted = 0;
  for (u32 num = 0; num < set.nsems && undo.hold.amount != 0 && !cell.is_poisoned(); ++num) {
    if (apply(journal, cell, set, undo, num, process->pid) && ++adjusted % kAdjustedAtOnce == 0)
      journal.commit();
  }
  set_amount(journal, cell, set.holds, undo.hold, 0);
  task.buried_pid = process->pid;
  journal.set(undo.hold.is_spent, 1u);
  journal.set(set.burying, 0);
  journal.set_if_changed(set.otime, now(task));
  journal.set(set.unsettled, 1u);
  journal.commit();
}

// --------------------------------------------------------------------------- making records

// A fresh record, and its process's if it is the first. Both locks are held.
void link_undo(Task& task, SemSetRec& set, const HoldBlocks& blocks, u64 process) {
  UndoRec& undo = undo_of(clear_hold(blocks, BlockClass::Undo));
  undo.hold.object = task.cell->offset_of(&set);
  undo.hold.object_id = set.perm.id;
  undo.hold.witness = task.slot;
  undo.array = task.rec->array;
  Journal journal(task);
  if (process == 0)
    process = link_process(journal, task, blocks, process_of(task.identity), undo_tid(task));
  link_hold(journal, task, blocks, set.holds, process);
  journal.set_if_changed(task.rec->array, 0);
  journal.commit();
  task.undo_process = process;
}

// Those who sleep do not know of the new record yet.
void poke_sleepers(const Cell& cell, SemSetRec& set, WakeList& wakes) {
  if (set.waiters == 0) return;
  for_each_wait_list(cell, set, [&](WaitList& list) {
    u32 steps = 0;
    for (u32 slot = list.first; slot != kNoSlot; ++steps) {
      const TaskRec* rec = waiter_at(cell, slot, steps);
      if (rec == nullptr) return false;
      wakes.poke(slot);
      slot = rec->wait.next;
    }
    return true;
  });
}

// The array, if it is a large set, is in task.rec->array.
int make_undo_with_array(Task& task, i32 id, u64 set_offset) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  HoldBlocks blocks;
  u64 process;
  const int error = reserve_hold(task, BlockClass::Undo, process_of(task.identity), undo_tid(task),
                                 blocks, &process);
  if (error != 0) return error;
  if (process != 0) task.undo_process = process;
  LockedSet set(task, set_offset);
  if (!set || cell.is_poisoned()) return -EIO;
  if (!set.is(id)) return -EIDRM;
  // Another thread of the process may have been faster.
  if (find_undo(task, *set) != nullptr) return 0;
  link_undo(task, *set, blocks, process);
  poke_sleepers(cell, *set, set.wakes());
  return 0;
}

// --------------------------------------------------------------------------- freeing records

// Takes the record out of all lists into the task's own fields. The table and the set are locked.
void unlink_undo(Task& task, SemSetRec& set, UndoRec& undo) {
  Journal journal(task);
  if (!unlink_hold(journal, task, set.holds, undo.hold)) return;
  if (set.burying == task.cell->offset_of(&undo)) journal.set(set.burying, 0);
  journal.set_if_changed(task.rec->array, undo.array);
  journal.commit();
}

}  // namespace

bool bury_undo(Task& task, UndoRec& undo) {
  LockedSet set(task, undo.hold.object);
  if (!set) return false;
  if (set->live != 0 && undo.hold.is_spent == 0) {
    bury(task, *set, undo);
    settle(task, *set, set.wakes());
  }
  if (task.cell->is_poisoned()) return false;
  unlink_undo(task, *set, undo);
  return !task.cell->is_poisoned();
}

bool bury_dead(Task& task, SemSetRec& set, Dead which, WakeList& wakes) {
  if (set.burying != 0) {
    if (UndoRec* undo = undo_at(*task.cell, set.burying)) bury(task, set, *undo);
  }
  if (set.unsettled != 0) settle(task, set, wakes);
  while (which != Dead::Nobody) {
    // Burying completes sleepers, who may be armed by it.
    bool is_dying = false;
    HoldRec* dead = find_over(task, set.holds, which, task.undo_process, &is_dying);
    if (dead == nullptr || task.cell->is_poisoned()) return is_dying;
    bury(task, set, undo_of(*dead));
    settle(task, set, wakes);
  }
  return false;
}

UndoRec* find_undo(Task& task, const SemSetRec& set) {
  if (task.undo_process == 0) return nullptr;
  const Cell& cell = *task.cell;
  const u64 offset = cell.offset_of(&set);
  const auto is_ours = [&](const HoldRec& hold) {
    return hold.live != 0 && hold.process == task.undo_process && hold.object == offset &&
           hold.object_id == set.perm.id && hold.is_spent == 0;
  };
  HoldHint& hint = task.undo_hints[static_cast<u32>(set.perm.id) % Task::kHoldHints];
  if (hint.object == offset) {
    UndoRec* undo = undo_at(cell, hint.hold);
    if (undo != nullptr && is_ours(undo->hold)) [[likely]]
      return undo;
  }
  UndoRec* found = nullptr;
  for_each_hold(cell, set.holds.all, &HoldRec::object_next, [&](HoldRec& hold) {
    if (is_ours(hold)) found = &undo_of(hold);
    return found == nullptr;
  });
  if (found != nullptr) hint = {offset, cell.offset_of(found)};
  return found;
}

int make_undo(Task& task, i32 id) {
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EINVAL;
  u32 nsems;
  {
    LockedSet set(task, offset);
    if (!set) return -EIO;
    if (!set.is(id)) return -EINVAL;
    nsems = set->nsems;
  }
  if (nsems > kInlineAdjustments) {
    if (const int error = build_array(task, nsems * sizeof(u64))) return error;
  }
  const int error = make_undo_with_array(task, id, offset);
  free_array(task, task.rec->array);
  return error;
}

bool watch_holders(const Task& task, const SemSetRec& set, WaitPlan& plan) {
  constexpr u32 kMost = kFutexWaitvMax - 1;
  plan.watched = 0;
  bool are_all = true;
  // Those that have something to undo first, then those that may have it soon.
  for (const bool armed : {true, false}) {
    for_each_hold(*task.cell, armed ? set.holds.armed : set.holds.all,
                  armed ? &HoldRec::armed_next : &HoldRec::object_next, [&](const HoldRec& hold) {
                    if (!armed && hold.amount != 0) return true;
                    if (hold.is_spent != 0 || hold.process == task.undo_process ||
                        !has_living_witness(*task.cell, hold.witness)) {
                      return true;
                    }
                    are_all = plan.watched < kMost;
                    if (are_all) plan.watch[plan.watched++] = hold.witness;
                    return are_all;
                  });
  }
  return are_all;
}

void free_undos_of_set(Task& task, u64 set_offset) {
  for (;;) {
    {
      Locked table(task, task.cell->layout().processes.lock);
      LockedSet set(task, set_offset);
      if (!set || set->holds.all == 0) return;
      UndoRec* undo = undo_at(*task.cell, set->holds.all);
      if (undo == nullptr) task.cell->poison(kBrokenHolds);
      if (task.cell->is_poisoned()) return;
      unlink_undo(task, *set, *undo);
    }
    free_unlinked_hold(task);
  }
}

void sys_unshare_undo(Task& task, bool is_alone) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return;
  // A list that is the thread's own, or that no other thread can use, ends here.
  if (is_alone || task.is_undo_apart) {
    Locked reaping(task, task.cell->header().reap_lock);
    u64 offset;
    {
      Locked table(task, task.cell->layout().processes.lock);
      offset = find_process_locked(*task.cell, process_of(task.identity), undo_tid(task));
    }
    task.undo_process = task.own_process = 0;
    if (ProcessRec* process = process_at(*task.cell, offset)) bury_adjustments(task, *process);
  }
  task.undo_process = 0;
  task.is_undo_apart = !is_alone;
}

}  // namespace ipcell
