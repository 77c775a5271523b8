#include "core/ipc/undo.h"

#include <cerrno>

#include "core/ipc/limits.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

constexpr char kBrokenUndos[] = "a list of processes that have something to undo is broken";

// Semaphores that are adjusted in one transaction.
constexpr u32 kAdjustedAtOnce = 64;
static_assert(2 * kAdjustedAtOnce + 2 <= kJournalEntries);

UndoRec* undo_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Undo ? cell.at<UndoRec>(offset) : nullptr;
}

UndoProcess* process_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::UndoProcess ? cell.at<UndoProcess>(offset)
                                                                 : nullptr;
}

// Calls `visit(undo)` for each record of a list, until it returns false. The link is read before.
template <class Visit>
void for_each_undo(const Cell& cell, u64 first, u64 UndoRec::*next, Visit visit) {
  // A list that goes round comes to the mark again, which moves on ever more slowly: visits may
  // ask the kernel, and are not to be made millions of times.
  u64 mark = 0;
  u32 steps = 0;
  for (u64 offset = first; offset != 0;) {
    UndoRec* undo = undo_at(cell, offset);
    if (undo == nullptr || offset == mark) {
      cell.poison(kBrokenUndos);
      return;
    }
    ++steps;
    if ((steps & (steps - 1)) == 0) mark = offset;
    offset = undo->*next;
    if (!visit(*undo)) return;
  }
}

// --------------------------------------------------------------------------- lists

using Link = u64 UndoRec::*;

void push(Journal& journal, const Cell& cell, u64& head, UndoRec& undo, Link next, Link prev) {
  const u64 offset = cell.offset_of(&undo);
  journal.set_if_changed(undo.*next, head);
  journal.set_if_changed(undo.*prev, 0);
  if (UndoRec* first = undo_at(cell, head)) journal.set(first->*prev, offset);
  journal.set(head, offset);
}

void unlink(Journal& journal, const Cell& cell, u64& head, UndoRec& undo, Link next, Link prev) {
  UndoRec* before = undo_at(cell, undo.*prev);
  UndoRec* after = undo_at(cell, undo.*next);
  if (before != nullptr) {
    journal.set(before->*next, undo.*next);
  } else {
    journal.set(head, undo.*next);
  }
  if (after != nullptr) journal.set(after->*prev, undo.*prev);
}

void arm(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo) {
  push(journal, cell, set.armed, undo, &UndoRec::armed_next, &UndoRec::armed_prev);
}

void disarm(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo) {
  unlink(journal, cell, set.armed, undo, &UndoRec::armed_next, &UndoRec::armed_prev);
}

// --------------------------------------------------------------------------- processes

u64& bucket_of(const Cell& cell, i32 pid) {
  return cell.layout().processes.buckets[static_cast<u32>(pid) % kProcessBuckets];
}

ProcessId id_of(const TaskIdentity& identity) {
  return {identity.pid, identity.start_time, identity.pid_namespace};
}
ProcessId id_of(const UndoProcess& process) {
  return {process.pid, process.start_time, process.pid_namespace};
}

// The table is locked. 0 if there is none. `tid`: the list of that thread alone; 0: the process's.
u64 find_process_locked(const Cell& cell, const ProcessId& id, i32 tid) {
  u64 steps = 0;
  for (u64 offset = bucket_of(cell, id.pid); offset != 0; ++steps) {
    const UndoProcess* process = process_at(cell, offset);
    if (process == nullptr || steps > kHeapSize / sizeof(UndoProcess)) {
      cell.poison(kBrokenUndos);
      return 0;
    }
    if (is_same(id_of(*process), id) && process->tid == tid) return offset;
    offset = process->next;
  }
  return 0;
}

i32 undo_tid(const Task& task) { return task.is_undo_apart ? task.identity.tid : 0; }

// A living task of the process; kNoSlot if none is known.
u32 find_living_task(const Cell& cell, const ProcessId& id) {
  const u32 high = load_acquire(cell.header().slots_high);
  for (u32 slot = 1; slot <= high && slot <= kTaskSlots; ++slot) {
    if (load_acquire(cell.layout().task_states[slot - 1]) != kTaskLive) continue;
    const TaskRec& rec = *cell.task(slot);
    if (is_same(process_of(rec), id) && !is_token_dead(rec.token)) return slot;
  }
  return kNoSlot;
}

bool has_living_witness(const Cell& cell, u32 witness) {
  const TaskRec* rec = cell.task(witness);
  return rec != nullptr && !is_token_dead(rec->token);
}

// Asked when the witness is dead, or none is known.
bool is_gone(const Task& task, const UndoProcess& process) {
  // A list of a thread's own: that thread was the witness. The main one may have called exec(2).
  if (process.tid != 0 && process.tid != process.pid) return true;
  const ProcessId id = id_of(process);
  // A pid of another namespace says nothing here.
  if (id.pid_namespace != 0 && id.pid_namespace != task.identity.pid_namespace)
    return find_living_task(*task.cell, id) == kNoSlot;
  return is_process_gone(id);
}

bool is_gone(Task& task, const UndoRec& undo) {
  const UndoProcess* process = process_at(*task.cell, undo.process);
  if (process == nullptr) {
    task.cell->poison(kBrokenUndos);
    return false;
  }
  return is_gone(task, *process);
}

// --------------------------------------------------------------------------- burying

// Adds one adjustment of the dead process, in the open transaction. True if there was one.
bool apply(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo, u32 num, i32 pid) {
  u64* word = adjustment_at(cell, undo, num);
  Semaphore* sem = semaphore_at(cell, set, num);
  if (word == nullptr || sem == nullptr) {
    cell.poison(kBrokenUndos);
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
  const UndoProcess* process = process_at(cell, undo.process);
  if (process == nullptr) {
    cell.poison(kBrokenUndos);
    return;
  }
  Journal journal(task);
  journal.set_if_changed(set.burying, cell.offset_of(&undo));
  journal.commit();
  u32 adjusted = 0;
  for (u32 num = 0; num < set.nsems && undo.nonzero != 0 && !cell.is_poisoned(); ++num) {
    if (apply(journal, cell, set, undo, num, process->pid) && ++adjusted % kAdjustedAtOnce == 0)
      journal.commit();
  }
  set_nonzero(journal, cell, set, undo, 0);
  task.buried_pid = process->pid;
  journal.set(undo.is_spent, 1u);
  journal.set(set.burying, 0);
  journal.set_if_changed(set.otime, now(task));
  journal.set(set.unsettled, 1u);
  journal.commit();
}

// The next record of a dead process. nullptr if there is none.
UndoRec* find_dead(Task& task, const SemSetRec& set, Dead which, bool* is_dying) {
  const bool armed = which == Dead::Armed;
  UndoRec* found = nullptr;
  for_each_undo(*task.cell, armed ? set.armed : set.undos,
                armed ? &UndoRec::armed_next : &UndoRec::set_next, [&](UndoRec& undo) {
                  if (undo.is_spent != 0 || undo.process == task.undo_process) return true;
                  if (has_living_witness(*task.cell, undo.witness)) return true;
                  if (undo.witness != kNoSlot) task.dead_seen = undo.witness;
                  if (is_gone(task, undo)) {
                    found = &undo;
                    return false;
                  }
                  *is_dying = true;
                  return true;
                });
  return found;
}

// --------------------------------------------------------------------------- making records

struct UndoBlocks {
  ReservedBlock undo, process;
};

// A fresh record, and its process's if it is the first. Both locks are held.
void link_undo(Task& task, SemSetRec& set, const UndoBlocks& blocks, u64 process_offset) {
  const Cell& cell = *task.cell;
  Journal journal(task);
  UndoProcess* process = process_at(cell, process_offset);
  if (process == nullptr) {
    process = blocks.process.as<UndoProcess>();
    process->pid = task.identity.pid;
    process->tid = undo_tid(task);
    process->start_time = task.identity.start_time;
    process->pid_namespace = task.identity.pid_namespace;
    process->undos = 0;
    u64& bucket = bucket_of(cell, process->pid);
    process->next = bucket;
    blocks.process.take(journal, task);
    journal.set(bucket, blocks.process.offset());
    process_offset = blocks.process.offset();
  }
  UndoRec& undo = *blocks.undo.as<UndoRec>();
  __builtin_memset(&undo.process, 0, sizeof undo - offsetof(UndoRec, process));
  undo.process = process_offset;
  undo.set = cell.offset_of(&set);
  undo.set_id = set.perm.id;
  undo.witness = task.slot;
  undo.array = task.rec->array;
  kill_barrier();
  blocks.undo.take(journal, task);
  journal.set_if_changed(task.rec->array, 0);
  journal.set(undo.live, 1u);
  push(journal, cell, set.undos, undo, &UndoRec::set_next, &UndoRec::set_prev);
  push(journal, cell, process->undos, undo, &UndoRec::proc_next, &UndoRec::proc_prev);
  journal.commit();
  task.undo_process = process_offset;
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
  u64 process = find_process_locked(cell, id_of(task.identity), undo_tid(task));
  if (process != 0) task.undo_process = process;
  UndoBlocks blocks;
  if (const int error = blocks.undo.reserve(task, BlockClass::Undo)) return error;
  if (process == 0) {
    if (const int error = blocks.process.reserve(task, BlockClass::UndoProcess)) return error;
  }
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
  const Cell& cell = *task.cell;
  UndoProcess* process = process_at(cell, undo.process);
  // A list that goes round leads to what was taken out of it.
  if (process == nullptr || undo.live == 0) {
    cell.poison(kBrokenUndos);
    return;
  }
  Journal journal(task);
  journal.set(undo.live, 0u);
  if (undo.nonzero != 0) disarm(journal, cell, set, undo);
  unlink(journal, cell, set.undos, undo, &UndoRec::set_next, &UndoRec::set_prev);
  unlink(journal, cell, process->undos, undo, &UndoRec::proc_next, &UndoRec::proc_prev);
  if (set.burying == cell.offset_of(&undo)) journal.set(set.burying, 0);
  journal.set(task.rec->loose, cell.offset_of(&undo));
  journal.set_if_changed(task.rec->array, undo.array);
  journal.commit();
}

void free_unlinked_undo(Task& task) {
  free_array(task, task.rec->array);
  if (task.rec->loose != 0) free_block(task, task.rec->loose);
}

// The first record of a dead process: does what is still to be done, and frees it. False if there
// is none.
bool bury_first(Task& task, UndoProcess& process) {
  {
    Locked table(task, task.cell->layout().processes.lock);
    if (process.undos == 0) return false;
    UndoRec* undo = undo_at(*task.cell, process.undos);
    if (undo == nullptr) return task.cell->poison(kBrokenUndos) == 0;
    LockedSet set(task, undo->set);
    if (!set) return false;
    if (set->live != 0 && undo->is_spent == 0) {
      bury(task, *set, *undo);
      settle(task, *set, set.wakes());
    }
    if (task.cell->is_poisoned()) return false;
    unlink_undo(task, *set, *undo);
  }
  free_unlinked_undo(task);
  return !task.cell->is_poisoned();
}

void free_process(Task& task, UndoProcess& process) {
  const Cell& cell = *task.cell;
  {
    Locked table(task, cell.layout().processes.lock);
    if (process.undos != 0 || cell.is_poisoned()) return;
    u64* link = &bucket_of(cell, process.pid);
    for (u64 steps = 0; *link != cell.offset_of(&process); ++steps) {
      UndoProcess* other = process_at(cell, *link);
      if (other == nullptr || steps > kHeapSize / sizeof(UndoProcess)) {
        cell.poison(kBrokenUndos);
        return;
      }
      link = &other->next;
    }
    Journal journal(task);
    journal.set(*link, process.next);
    journal.set(task.rec->loose, cell.offset_of(&process));
    journal.commit();
  }
  free_block(task, task.rec->loose);
}

// With the reap lock held: nobody else frees a process.
void bury_process(Task& task, UndoProcess& process) {
  while (bury_first(task, process)) {
  }
  free_process(task, process);
}

// Another of the process's tasks is to tell of its end, where `old_witness` was to.
void replace_witness(Task& task, const UndoProcess& process, u32 old_witness, u32 witness) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  for_each_undo(cell, process.undos, &UndoRec::proc_next, [&](UndoRec& undo) {
    if (undo.witness != old_witness) return true;
    LockedSet set(task, undo.set);
    if (!set) return false;
    Journal journal(task);
    journal.set(undo.witness, witness);
    journal.commit();
    return true;
  });
}

void reap_list(Task& reaper, const TaskRec& dead, u32 dead_slot, i32 tid) {
  const Cell& cell = *reaper.cell;
  u64 offset;
  {
    Locked table(reaper, cell.layout().processes.lock);
    offset = find_process_locked(cell, process_of(dead), tid);
  }
  UndoProcess* process = process_at(cell, offset);
  if (process == nullptr) return;
  const u32 living = tid == 0 ? find_living_task(cell, process_of(dead)) : kNoSlot;
  if (living == kNoSlot && is_gone(reaper, *process)) {
    bury_process(reaper, *process);
  } else {
    replace_witness(reaper, *process, dead_slot, living);
  }
}

// A process whose tasks were all reaped before it was gone has nobody to tell of its end: those who
// bury it look, and those who reap another of its bucket.
UndoProcess* find_forgotten(Task& task, i32 pid) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  u64 steps = 0;
  for (u64 offset = bucket_of(cell, pid); offset != 0 && steps < kTaskSlots; ++steps) {
    UndoProcess* process = process_at(cell, offset);
    if (process == nullptr) return nullptr;
    const ProcessId id = id_of(*process);
    const UndoRec* first = undo_at(cell, process->undos);
    const bool has_witness =
        first != nullptr && has_living_witness(cell, load_acquire(first->witness));
    if (process->tid == 0 && !has_witness && id.pid_namespace == task.identity.pid_namespace &&
        find_living_task(cell, id) == kNoSlot && is_process_gone(id)) {
      return process;
    }
    offset = process->next;
  }
  return nullptr;
}

void free_forgotten(Task& task, i32 pid) {
  while (UndoProcess* process = find_forgotten(task, pid)) {
    bury_process(task, *process);
    if (task.cell->is_poisoned()) return;
  }
}

}  // namespace

void set_nonzero(Journal& journal, const Cell& cell, SemSetRec& set, UndoRec& undo, u32 nonzero) {
  const u32 before = undo.nonzero;
  if (before == nonzero) return;
  journal.set(undo.nonzero, nonzero);
  if (before == 0) arm(journal, cell, set, undo);
  if (nonzero == 0) disarm(journal, cell, set, undo);
}

bool bury_dead(Task& task, SemSetRec& set, Dead which, WakeList& wakes) {
  if (set.burying != 0) {
    if (UndoRec* undo = undo_at(*task.cell, set.burying)) bury(task, set, *undo);
  }
  if (set.unsettled != 0) settle(task, set, wakes);
  while (which != Dead::Nobody) {
    // Burying completes sleepers, who may be armed by it.
    bool is_dying = false;
    UndoRec* dead = find_dead(task, set, which, &is_dying);
    if (dead == nullptr || task.cell->is_poisoned()) return is_dying;
    bury(task, set, *dead);
    settle(task, set, wakes);
  }
  return false;
}

UndoRec* find_undo(Task& task, const SemSetRec& set) {
  if (task.undo_process == 0) return nullptr;
  const Cell& cell = *task.cell;
  const u64 offset = cell.offset_of(&set);
  const auto is_ours = [&](const UndoRec& undo) {
    return undo.live != 0 && undo.process == task.undo_process && undo.set == offset &&
           undo.set_id == set.perm.id && undo.is_spent == 0;
  };
  UndoHint& hint = task.undo_hints[static_cast<u32>(set.perm.id) % Task::kUndoHints];
  if (hint.set == offset) {
    UndoRec* undo = undo_at(cell, hint.undo);
    if (undo != nullptr && is_ours(*undo)) [[likely]]
      return undo;
  }
  UndoRec* found = nullptr;
  for_each_undo(cell, set.undos, &UndoRec::set_next, [&](UndoRec& undo) {
    if (is_ours(undo)) found = &undo;
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
    for_each_undo(*task.cell, armed ? set.armed : set.undos,
                  armed ? &UndoRec::armed_next : &UndoRec::set_next, [&](const UndoRec& undo) {
                    if (!armed && undo.nonzero != 0) return true;
                    if (undo.is_spent != 0 || undo.process == task.undo_process ||
                        !has_living_witness(*task.cell, undo.witness)) {
                      return true;
                    }
                    are_all = plan.watched < kMost;
                    if (are_all) plan.watch[plan.watched++] = undo.witness;
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
      if (!set || set->undos == 0) return;
      UndoRec* undo = undo_at(*task.cell, set->undos);
      if (undo == nullptr) task.cell->poison(kBrokenUndos);
      if (task.cell->is_poisoned()) return;
      unlink_undo(task, *set, *undo);
    }
    free_unlinked_undo(task);
  }
}

void join_process(Task& task) {
  const Cell& cell = *task.cell;
  task.undo_process = 0;
  task.is_undo_apart = false;
  for (UndoHint& hint : task.undo_hints) hint = {};
  if (load_acquire(bucket_of(cell, task.identity.pid)) == 0) [[likely]]
    return;
  Locked table(task, cell.layout().processes.lock);
  task.undo_process = find_process_locked(cell, id_of(task.identity), 0);
  const UndoProcess* process = process_at(cell, task.undo_process);
  if (process == nullptr) return;
  for_each_undo(cell, process->undos, &UndoRec::proc_next, [&](UndoRec& undo) {
    if (has_living_witness(cell, undo.witness)) return true;
    LockedSet set(task, undo.set);
    if (!set) return false;
    Journal journal(task);
    journal.set(undo.witness, task.slot);
    journal.commit();
    return true;
  });
}

void reap_undo(Task& reaper, const TaskRec& dead, u32 dead_slot) {
  if (load_acquire(bucket_of(*reaper.cell, dead.pid)) == 0) return;
  reap_list(reaper, dead, dead_slot, dead.tid);
  reap_list(reaper, dead, dead_slot, 0);
  free_forgotten(reaper, dead.pid);
  reaper.buried_pid = 0;
}

void reap_buried(Task& task) {
  const i32 pid = task.buried_pid;
  task.buried_pid = 0;
  const Critical critical(task);
  LockWord& reap_lock = task.cell->header().reap_lock;
  if (task.cell->is_poisoned() || !try_lock(task, reap_lock)) return;
  free_forgotten(task, pid);
  unlock(task, reap_lock);
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
      offset = find_process_locked(*task.cell, id_of(task.identity), undo_tid(task));
    }
    task.undo_process = 0;
    if (UndoProcess* process = process_at(*task.cell, offset)) bury_process(task, *process);
  }
  task.undo_process = 0;
  task.is_undo_apart = !is_alone;
}

}  // namespace ipcell
