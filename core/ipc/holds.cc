#include "core/ipc/holds.h"

#include <cerrno>

#include "core/cell/cell_members.h"
#include "core/cell/wait_queue.h"
#include "core/ipc/registry.h"
#include "core/ipc/shm.h"
#include "core/ipc/undo.h"

namespace ipcell {

namespace {

using Link = u64 HoldRec::*;

void push(Journal& journal, const Cell& cell, u64& head, HoldRec& hold, Link next, Link prev) {
  const u64 offset = cell.offset_of(&hold);
  journal.set_if_changed(hold.*next, head);
  journal.set_if_changed(hold.*prev, 0);
  if (HoldRec* first = hold_at(cell, head)) journal.set(first->*prev, offset);
  journal.set(head, offset);
}

void unlink(Journal& journal, const Cell& cell, u64& head, HoldRec& hold, Link next, Link prev) {
  HoldRec* before = hold_at(cell, hold.*prev);
  HoldRec* after = hold_at(cell, hold.*next);
  if (before != nullptr) {
    journal.set(before->*next, hold.*next);
  } else {
    journal.set(head, hold.*next);
  }
  if (after != nullptr) journal.set(after->*prev, hold.*prev);
}

void arm(Journal& journal, const Cell& cell, HoldLists& lists, HoldRec& hold) {
  push(journal, cell, lists.armed, hold, &HoldRec::armed_next, &HoldRec::armed_prev);
}

void disarm(Journal& journal, const Cell& cell, HoldLists& lists, HoldRec& hold) {
  unlink(journal, cell, lists.armed, hold, &HoldRec::armed_next, &HoldRec::armed_prev);
}

// --------------------------------------------------------------------------- processes

u64& bucket_of(const Cell& cell, i32 pid) {
  return cell.layout().processes.buckets[static_cast<u32>(pid) % kProcessBuckets];
}

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

// False if a process that nobody knows may have the cell mapped.
bool is_nobody_unknown(Task& task, const ProcessRec& process) {
  // All of /proc is read for it: what was there a moment ago is taken to be still there.
  constexpr i64 kMomentNs = 50'000'000;
  if (process.pid_namespace != task.identity.pid_namespace || process.pid_namespace == 0)
    return false;
  const i64 now_ns = monotonic_nanoseconds();
  if (task.stranger_seen_ns != 0 && now_ns - task.stranger_seen_ns < kMomentNs) return false;
  const char* path = task.addresses != nullptr ? task.addresses->file.path() : nullptr;
  const bool has_seen =
      path == nullptr ||
      has_stranger(*task.cell, path, task.identity.pid_namespace, process.start_time);
  task.stranger_seen_ns = has_seen ? now_ns : 0;
  return !has_seen;
}

// A child that was about to be forked when its parent died may be there, and not have had its first
// moment yet. It would be a process that maps the cell, and that nobody knows.
bool is_unborn_gone(Task& task, const ProcessRec& process) {
  // The maker is named in place of a thread.
  if (process.tid != 0 && has_living_witness(*task.cell, static_cast<u32>(process.tid)))
    return false;
  return is_nobody_unknown(task, process);
}

// Asked when the witness is dead, or none is known. `guesses`: of a process that can't be asked for
// it is gone if no task of it lives.
bool is_gone(Task& task, ProcessRec& process, bool guesses) {
  if (process.pid == 0) return is_unborn_gone(task, process);
  // A list of a thread's own: that thread was the witness. The main one may have called exec(2).
  if (process.tid != 0 && process.tid != process.pid) return true;
  const ProcessId id = process_of(process);
  if (is_same(id, process_of(task.identity))) return false;
  // A pid of another namespace says nothing here.
  if (id.pid_namespace == 0 && !guesses) return false;
  if (id.pid_namespace != 0 && id.pid_namespace != task.identity.pid_namespace)
    return guesses && find_living_task(*task.cell, id) == kNoSlot;
  if (load_acquire(process.is_gone) != 0) return true;
  // Read without the table's lock: half of a name leads to another process, or to none.
  if (load_acquire(process.is_named_anew) != 0 || !is_identical(id, process_of(process)))
    return false;
  const bool is_gone = is_process_gone(id);
  if (is_gone) store_release(process.is_gone, 1u);
  return is_gone;
}

// Another process may still run in the memory that was the process's.
bool is_lent_out(Task& task, const ProcessRec& process) {
  return process.is_lent != 0 && !is_nobody_unknown(task, process);
}

// The same of its memory, where other processes may live on.
bool is_memory_gone(Task& task, ProcessRec& process) {
  return is_gone(task, process, false) && !is_lent_out(task, process);
}

// A task of the image died in exec(2): the image is over, by that call or by another thread's.
bool has_image_ended(const Cell& cell, const ProcessRec& process, u32 image) {
  const u32 high = load_acquire(cell.header().slots_high);
  for (u32 slot = 1; slot <= high && slot <= kTaskSlots; ++slot) {
    if (!is_dead(cell, slot)) continue;
    const TaskRec& rec = *cell.task(slot);
    if (rec.is_execing != 0 && rec.image == image && is_same(process_of(rec), process_of(process)))
      return true;
  }
  return false;
}

bool is_attachment(const Cell& cell, const HoldRec& hold) {
  return class_of_block(cell, cell.offset_of(&hold)) == BlockClass::Attach;
}

// --------------------------------------------------------------------------- burying

// Does what is still to be done for a record, and takes it out of all lists. The table is locked.
bool bury_hold(Task& task, HoldRec& hold) {
  if (is_attachment(*task.cell, hold)) return bury_attachment(task, hold);
  return bury_undo(task, undo_of(hold));
}

// Buries the first record of the process that `is_meant`, and frees it. False if there is none.
template <class IsMeant>
bool bury_first(Task& task, ProcessRec& process, IsMeant is_meant) {
  const Cell& cell = *task.cell;
  {
    Locked table(task, cell.layout().processes.lock);
    HoldRec* found = nullptr;
    for_each_hold(cell, process.holds, &HoldRec::proc_next, [&](HoldRec& hold) {
      if (is_meant(hold)) found = &hold;
      return found == nullptr;
    });
    if (found == nullptr || !bury_hold(task, *found)) return false;
  }
  free_unlinked_hold(task);
  remove_doomed_met(task);
  return !cell.is_poisoned();
}

// Attachments of an image end with it.
void bury_image(Task& task, ProcessRec& process, u32 image) {
  const auto is_meant = [&](const HoldRec& hold) {
    return is_attachment(*task.cell, hold) && hold.image == image;
  };
  while (bury_first(task, process, is_meant)) {
  }
}

// Takes the record out of its bucket, in the open transaction. False if it is not there.
bool leave_bucket(Journal& journal, const Cell& cell, ProcessRec& process) {
  u64* link = &bucket_of(cell, process.pid);
  for (u64 steps = 0; *link != cell.offset_of(&process); ++steps) {
    ProcessRec* other = process_at(cell, *link);
    if (other == nullptr || steps > kHeapSize / sizeof(ProcessRec)) {
      cell.poison(kBrokenHolds);
      return false;
    }
    link = &other->next;
  }
  journal.set(*link, process.next);
  return true;
}

void enter_bucket(Journal& journal, const Cell& cell, ProcessRec& process) {
  u64& bucket = bucket_of(cell, process.pid);
  journal.set_if_changed(process.next, bucket);
  journal.set(bucket, cell.offset_of(&process));
}

void free_process(Task& task, ProcessRec& process) {
  const Cell& cell = *task.cell;
  {
    Locked table(task, cell.layout().processes.lock);
    if (process.holds != 0 || cell.is_poisoned()) return;
    Journal journal(task);
    if (!leave_bucket(journal, cell, process)) return;
    // Nobody is to take it for the one that was made for a child.
    journal.set_if_changed(process.serial, 0);
    journal.set(task.rec->loose, cell.offset_of(&process));
    journal.commit();
  }
  free_block(task, task.rec->loose);
}

void reap_list(Task& reaper, const TaskRec& dead, u32 dead_slot, i32 tid) {
  const Cell& cell = *reaper.cell;
  u64 offset;
  {
    Locked table(reaper, cell.layout().processes.lock);
    offset = find_process_locked(cell, process_of(dead), tid);
  }
  ProcessRec* process = process_at(cell, offset);
  if (process == nullptr) return;
  const u32 living = tid == 0 ? find_living_task(cell, process_of(dead)) : kNoSlot;
  if (living == kNoSlot && is_memory_gone(reaper, *process)) {
    bury_process(reaper, *process);
    return;
  }
  // Nobody else would know, once the slot is another task's.
  if (dead.is_execing != 0 && !is_lent_out(reaper, *process))
    bury_image(reaper, *process, dead.image);
  Locked table(reaper, cell.layout().processes.lock);
  replace_witness(reaper, *process, dead_slot, living);
}

// A process whose tasks were all reaped before it was gone has nobody to tell of its end: those who
// bury it look, and those who reap another of its bucket.
ProcessRec* find_forgotten(Task& task, i32 pid) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  u64 steps = 0;
  for (u64 offset = bucket_of(cell, pid); offset != 0 && steps < kTaskSlots; ++steps) {
    ProcessRec* process = process_at(cell, offset);
    if (process == nullptr) return nullptr;
    const ProcessId id = process_of(*process);
    const HoldRec* first = hold_at(cell, process->holds);
    const bool has_witness =
        first != nullptr && has_living_witness(cell, load_acquire(first->witness));
    if (process->tid == 0 && !has_witness && find_living_task(cell, id) == kNoSlot &&
        is_memory_gone(task, *process)) {
      return process;
    }
    offset = process->next;
  }
  return nullptr;
}

void free_forgotten(Task& task, i32 pid) {
  // In a damaged table one may lead to what was buried before.
  for (u32 count = 0; ProcessRec* process = find_forgotten(task, pid); ++count) {
    if (count == kTaskSlots) task.cell->poison(kBrokenHolds);
    if (task.cell->is_poisoned()) return;
    bury_process(task, *process);
    if (task.cell->is_poisoned()) return;
  }
}

}  // namespace

// --------------------------------------------------------------------------- records and lists

void set_amount(Journal& journal, const Cell& cell, HoldLists& lists, HoldRec& hold, u32 amount) {
  const u32 before = hold.amount;
  if (before == amount) return;
  journal.set(hold.amount, amount);
  if (before == 0) arm(journal, cell, lists, hold);
  if (amount == 0) disarm(journal, cell, lists, hold);
}

void replace_witness(Task& task, const ProcessRec& process, u32 old_witness, u32 witness) {
  for_each_hold(*task.cell, process.holds, &HoldRec::proc_next, [&](HoldRec& hold) {
    if (hold.witness == old_witness) set_witness(task, hold, witness);
    return !task.cell->is_poisoned();
  });
}

void set_witness(Task& task, HoldRec& hold, u32 witness) {
  ObjectHead* object = task.cell->at<ObjectHead>(hold.object);
  if (object == nullptr) {
    task.cell->poison(kBrokenHolds);
    return;
  }
  Locked locked(task, object->lock);
  Journal journal(task);
  journal.set(hold.witness, witness);
  journal.commit();
}

int reserve_hold(Task& task, BlockClass hold_class, const ProcessId& id, i32 tid,
                 HoldBlocks& blocks, u64* process) {
  *process = find_process_locked(*task.cell, id, tid);
  if (const int error = blocks.hold.reserve(task, hold_class)) return error;
  return *process == 0 ? blocks.process.reserve(task, BlockClass::Process) : 0;
}

u64 link_process(Journal& journal, Task& task, const HoldBlocks& blocks, const ProcessId& id,
                 i32 tid) {
  ProcessRec& process = *blocks.process.as<ProcessRec>();
  process.pid = id.pid;
  process.tid = tid;
  process.start_time = id.start_time;
  process.pid_namespace = id.pid_namespace;
  process.holds = 0;
  process.serial = 0;
  process.is_lent = process.is_gone = process.is_named_anew = process.pad = 0;
  process.next = bucket_of(*task.cell, process.pid);
  blocks.process.take(journal, task);
  enter_bucket(journal, *task.cell, process);
  return blocks.process.offset();
}

HoldRec& clear_hold(const HoldBlocks& blocks, BlockClass hold_class) {
  HoldRec& hold = *blocks.hold.as<HoldRec>();
  __builtin_memset(&hold.process, 0,
                   kBlockSize[static_cast<u32>(hold_class)] - offsetof(HoldRec, process));
  return hold;
}

void link_hold(Journal& journal, Task& task, const HoldBlocks& blocks, HoldLists& lists,
               u64 process_offset) {
  const Cell& cell = *task.cell;
  HoldRec& hold = *blocks.hold.as<HoldRec>();
  ProcessRec* process = process_at(cell, process_offset);
  if (process == nullptr) {
    cell.poison(kBrokenHolds);
    return;
  }
  hold.process = process_offset;
  kill_barrier();
  blocks.hold.take(journal, task);
  journal.set(hold.live, 1u);
  push(journal, cell, lists.all, hold, &HoldRec::object_next, &HoldRec::object_prev);
  push(journal, cell, process->holds, hold, &HoldRec::proc_next, &HoldRec::proc_prev);
}

bool unlink_hold(Journal& journal, Task& task, HoldLists& lists, HoldRec& hold) {
  const Cell& cell = *task.cell;
  ProcessRec* process = process_at(cell, hold.process);
  // A list that goes round leads to what was taken out of it.
  if (process == nullptr || hold.live == 0) {
    cell.poison(kBrokenHolds);
    return false;
  }
  journal.set(hold.live, 0u);
  if (hold.amount != 0) disarm(journal, cell, lists, hold);
  unlink(journal, cell, lists.all, hold, &HoldRec::object_next, &HoldRec::object_prev);
  unlink(journal, cell, process->holds, hold, &HoldRec::proc_next, &HoldRec::proc_prev);
  journal.set(task.rec->loose, cell.offset_of(&hold));
  return true;
}

void free_unlinked_hold(Task& task) {
  free_array(task, task.rec->array);
  if (task.rec->loose != 0) free_block(task, task.rec->loose);
}

// --------------------------------------------------------------------------- processes

u64 find_process_locked(const Cell& cell, const ProcessId& id, i32 tid) {
  u64 steps = 0;
  for (u64 offset = bucket_of(cell, id.pid); offset != 0; ++steps) {
    const ProcessRec* process = process_at(cell, offset);
    if (process == nullptr || steps > kHeapSize / sizeof(ProcessRec)) {
      cell.poison(kBrokenHolds);
      return 0;
    }
    if (is_same(process_of(*process), id) && process->tid == tid) return offset;
    offset = process->next;
  }
  return 0;
}

bool is_over(Task& task, const HoldRec& hold) {
  const Cell& cell = *task.cell;
  ProcessRec* process = process_at(cell, hold.process);
  if (process == nullptr) {
    cell.poison(kBrokenHolds);
    return false;
  }
  if (!is_attachment(cell, hold)) return is_gone(task, *process, true);
  return (has_image_ended(cell, *process, hold.image) && !is_lent_out(task, *process)) ||
         is_memory_gone(task, *process);
}

HoldRec* find_over(Task& task, const HoldLists& lists, Dead which, u64 own_process,
                   bool* is_dying) {
  const bool armed = which == Dead::Armed;
  HoldRec* found = nullptr;
  for_each_hold(*task.cell, armed ? lists.armed : lists.all,
                armed ? &HoldRec::armed_next : &HoldRec::object_next, [&](HoldRec& hold) {
                  if (hold.is_spent != 0 || hold.process == own_process) return true;
                  if (has_living_witness(*task.cell, hold.witness)) return true;
                  if (hold.witness != kNoSlot) task.dead_seen = hold.witness;
                  if (is_over(task, hold)) {
                    found = &hold;
                    return false;
                  }
                  *is_dying = true;
                  return true;
                });
  return found;
}

// --------------------------------------------------------------------------- ends

void bury_adjustments(Task& task, ProcessRec& process) {
  const auto is_meant = [&](const HoldRec& hold) { return !is_attachment(*task.cell, hold); };
  while (bury_first(task, process, is_meant)) {
  }
  free_process(task, process);
}

void lend_process(Task& task) {
  Locked table(task, task.cell->layout().processes.lock);
  ProcessRec* process =
      process_at(*task.cell, find_process_locked(*task.cell, process_of(task.identity), 0));
  if (process == nullptr) return;
  Journal journal(task);
  journal.set_if_changed(process->is_lent, 1u);
  journal.commit();
}

void name_process(Task& task, ProcessRec& process, const ProcessId& id) {
  Journal journal(task);
  if (!leave_bucket(journal, *task.cell, process)) return;
  // is_gone() looks without the table's lock, and if the task dies here: a pid beside the maker's
  // slot would be the list of a thread's own, and half of a name nobody's.
  journal.set(process.is_named_anew, 1u);
  journal.set_if_changed(process.is_gone, 0u);
  journal.set_if_changed(process.tid, 0);
  journal.set_if_changed(process.pid, id.pid);
  journal.set_if_changed(process.start_time, id.start_time);
  journal.set_if_changed(process.pid_namespace, id.pid_namespace);
  enter_bucket(journal, *task.cell, process);
  journal.set(process.is_named_anew, 0u);
  journal.commit();
}

void bury_process(Task& task, ProcessRec& process) {
  while (bury_first(task, process, [](const HoldRec&) { return true; })) {
  }
  free_process(task, process);
}

void join_process(Task& task) {
  const Cell& cell = *task.cell;
  task.undo_process = 0;
  task.own_process = 0;
  task.is_undo_apart = false;
  for (HoldHint& hint : task.undo_hints) hint = {};
  for (HoldHint& hint : task.attach_hints) hint = {};
  if (load_acquire(bucket_of(cell, task.identity.pid)) == 0) [[likely]]
    return;
  u64 offset;
  {
    Locked table(task, cell.layout().processes.lock);
    offset = find_process_locked(cell, process_of(task.identity), 0);
  }
  ProcessRec* process = process_at(cell, offset);
  if (process == nullptr) return;
  // Nobody frees the record: its process lives.
  task.undo_process = task.own_process = offset;
  // A name without a start time may have been another's.
  store_release(process->is_gone, 0u);
  const auto is_of_older_image = [&](const HoldRec& hold) {
    return is_attachment(cell, hold) && hold.image != task.identity.image;
  };
  while (!is_lent_out(task, *process) && bury_first(task, *process, is_of_older_image)) {
  }
  Locked table(task, cell.layout().processes.lock);
  for_each_hold(cell, process->holds, &HoldRec::proc_next, [&](HoldRec& hold) {
    if (!has_living_witness(cell, hold.witness)) set_witness(task, hold, task.slot);
    return !cell.is_poisoned();
  });
}

void reap_holds(Task& reaper, const TaskRec& dead, u32 dead_slot) {
  if (load_acquire(bucket_of(*reaper.cell, dead.pid)) == 0) return;
  reap_list(reaper, dead, dead_slot, dead.tid);
  reap_list(reaper, dead, dead_slot, 0);
  free_forgotten(reaper, dead.pid);
  reaper.buried_pid = 0;
}

void free_unborn(Task& task) {
  if (load_acquire(bucket_of(*task.cell, 0)) != 0) free_forgotten(task, 0);
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

}  // namespace ipcell
