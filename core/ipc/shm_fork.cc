// fork(2): a child has what its parent has attached. It is counted before there is a child: so
// nobody can find a segment unused that a child still maps. docs/locking.md, "Shared memory".
#include <cerrno>

#include "core/cell/wait_queue.h"
#include "core/ipc/reap.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// The record that was made for a fork, if it still is that. The table is locked.
ProcessRec* heir_at(const Cell& cell, u64 offset, u64 serial) {
  ProcessRec* process = process_at(cell, offset);
  return process != nullptr && serial != 0 && process->serial == serial ? process : nullptr;
}

// The process's hold in the segment. A fresh one is among the first.
HoldRec* find_hold_of(const Cell& cell, const SegmentRec& segment, u64 process) {
  HoldRec* found = nullptr;
  for_each_hold(cell, segment.holds.all, &HoldRec::object_next, [&](HoldRec& hold) {
    if (hold.process == process) found = &hold;
    return found == nullptr;
  });
  return found;
}

// Counts one piece for another process, or for a new one. 0, -ENOMEM, -EIO.
int count_piece(Task& task, u64 process, const Piece& piece, i32 pid) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  HoldBlocks blocks;
  if (const int error = blocks.hold.reserve(task, BlockClass::Attach)) return error;
  LockedSegment segment(task, piece.segment, true);
  if (!segment || cell.is_poisoned()) return -EIO;
  HoldRec* hold = find_hold_of(cell, *segment, process);
  if (hold == nullptr) {
    hold = &clear_hold(blocks, BlockClass::Attach);
    hold->object = piece.segment;
    hold->object_id = segment->perm.id;
    hold->witness = task.slot;
    hold->image = task.identity.image;
    Journal journal(task);
    link_hold(journal, task, blocks, segment->holds, process);
    journal.commit();
  }
  change_attachments(task, *segment, *hold, {1, 0}, pid);
  return 0;
}

// Makes the child's record, and names it in task.rec->unborn. Its offset, or 0 without memory.
u64 make_heir(Task& task, u64 serial) {
  Locked table(task, task.cell->layout().processes.lock);
  HoldBlocks blocks;
  if (blocks.process.reserve(task, BlockClass::Process) != 0) return 0;
  Journal journal(task);
  // Until it has a pid it says whose child it is.
  const u64 offset = link_process(journal, task, blocks,
                                  {0, task.identity.start_time, task.identity.pid_namespace},
                                  static_cast<i32>(task.slot));
  blocks.process.as<ProcessRec>()->serial = serial;
  journal.set(task.rec->unborn, offset);
  journal.commit();
  return offset;
}

// 0, -ENOMEM, -EIO.
int count_heir(Task& task, u64 heir) {
  AddressMap& map = *task.addresses;
  for (u32 n = 0; n < map.count(); ++n) {
    if ((map.at(n).flags & kPieceDontFork) != 0) continue;
    if (const int error = count_piece(task, heir, map.at(n), task.identity.pid)) return error;
  }
  return 0;
}

// A handler of fork(2) may have forked meanwhile, and so named another record there.
void clear_unborn(Task& task, u64 heir) {
  if (task.rec->unborn != heir) return;
  Journal journal(task);
  journal.set(task.rec->unborn, 0);
  journal.commit();
}

// The maker is no more the witness of what it made for the child.
void pass_on(Task& task, u64 offset, u64 serial, u32 maker_slot) {
  Locked table(task, task.cell->layout().processes.lock);
  const ProcessRec* process = heir_at(*task.cell, offset, serial);
  if (process != nullptr) replace_witness(task, *process, maker_slot, kNoSlot);
}

// The maker of a record that was never named, or not to the end, will do no more about it: from
// here on it is forgotten, if the child does not take it over.
void leave_unborn(Task& task, TaskRec& maker, u32 maker_slot) {
  const Cell& cell = *task.cell;
  ProcessRec* process = process_at(cell, maker.unborn);
  if (process == nullptr) {
    cell.poison(kBrokenHolds);
    return;
  }
  pass_on(task, maker.unborn, process->serial, maker_slot);
  Locked table(task, cell.layout().processes.lock);
  Journal journal(task);
  if (process->pid == 0 && process->tid == static_cast<i32>(maker_slot))
    journal.set(process->tid, 0);
  journal.set(maker.unborn, 0);
  journal.commit();
}

// There is no child.
void drop_heir(Task& task, u64 offset, u64 serial) {
  ProcessRec* process;
  {
    Locked table(task, task.cell->layout().processes.lock);
    process = heir_at(*task.cell, offset, serial);
  }
  if (process != nullptr) bury_process(task, *process);
  clear_unborn(task, offset);
}

// What the child did not inherit.
void drop_unforked(AddressMap& map) {
  for (u32 n = map.count(); n > 0; --n) {
    if ((map.at(n - 1).flags & kPieceDontFork) != 0) map.erase(n - 1);
  }
}

// The child takes over what was made for it. False if there is nothing.
bool take_heirship(Task& task, u64 offset, u64 serial) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  ProcessRec* process = heir_at(cell, offset, serial);
  if (process == nullptr) return false;
  name_process(task, *process, process_of(task.identity));
  task.own_process = task.undo_process = offset;
  for_each_hold(cell, process->holds, &HoldRec::proc_next, [&](HoldRec& hold) {
    set_witness(task, hold, task.slot);
    return !cell.is_poisoned();
  });
  return !cell.is_poisoned();
}

// The id of a living segment, or -1. One that was removed behind our back can't be helped.
i32 id_of_living(Task& task, u64 offset) {
  LockedSegment segment(task, offset);
  return segment && segment->live != 0 ? segment->perm.id : -1;
}

u32 count_pieces(AddressMap& map, u64 segment) {
  u32 count = 0;
  for (u32 n = 0; n < map.count(); ++n) count += map.at(n).segment == segment ? 1 : 0;
  return count;
}

// Sees to it that the process is counted for just what its map has: nothing was made for it (a
// clone(2) that the library did not see), or a handler attached something in fork(2).
void recount(Task& task) {
  AddressMap& map = *task.addresses;
  for (u32 n = 0; n < map.count(); ++n) {
    const i32 id = id_of_living(task, map.at(n).segment);
    if (id >= 0) (void)make_attachment(task, id, map.at(n).segment);
  }
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  const ProcessRec* process = process_at(cell, task.own_process);
  if (process == nullptr) return;
  for_each_hold(cell, process->holds, &HoldRec::proc_next, [&](HoldRec& hold) {
    if (class_of_block(cell, cell.offset_of(&hold)) != BlockClass::Attach) return true;
    LockedSegment segment(task, hold.object);
    if (!segment) return false;
    const u32 wanted = count_pieces(map, hold.object);
    if (wanted > hold.amount) {
      change_attachments(task, *segment, hold, {wanted - hold.amount, 0}, task.identity.pid);
    } else if (wanted < hold.amount) {
      change_attachments(task, *segment, hold, {0, hold.amount - wanted}, task.identity.pid);
    }
    return true;
  });
}

}  // namespace

int sys_fork_begin(Task& task, ForkRecord& record) {
  AddressMap& map = *task.addresses;
  const Critical critical(task);
  record = {};
  map.lock(static_cast<u32>(task.identity.tid));
  if (task.cell->is_poisoned() || map.count() == 0) return 0;
  if (task.rec->unborn != 0) leave_unborn(task, *task.rec, task.slot);
  const u64 serial = static_cast<u64>(monotonic_nanoseconds()) << 1 | 1;
  const u64 heir = make_heir(task, serial);
  const int error = heir != 0 ? count_heir(task, heir) : -ENOMEM;
  if (error != 0) {
    if (heir != 0) drop_heir(task, heir, serial);
    map.unlock();
    return error;
  }
  record = {heir, serial};
  map.heir = heir;
  map.heir_serial = serial;
  map.heir_version = map.version();
  return 0;
}

void sys_fork_unlock(Task& task) {
  AddressMap& map = *task.addresses;
  const Critical critical(task);
  map.heir = map.heir_serial = 0;
  map.unlock();
}

void sys_fork_end(Task& task, const ForkRecord& record, i32 child, bool is_task) {
  const Critical critical(task);
  const u64 heir = record.heir, serial = record.serial;
  if (heir == 0 || task.cell->is_poisoned()) return;
  if (child < 0) {
    drop_heir(task, heir, serial);
    remove_doomed_met(task);
    return;
  }
  // The child says itself who it is; until then it counts as long as this task lives.
  if (child == 0) return;
  ProcessId id = {child, 0, task.identity.pid_namespace};
  bool is_zombie;
  // A child that becomes a task tells it itself.
  if (!is_task && task.identity.start_time != 0) read_process(child, &id.start_time, &is_zombie);
  {
    Locked table(task, task.cell->layout().processes.lock);
    ProcessRec* process = heir_at(*task.cell, heir, serial);
    if (process != nullptr && process->pid == 0) name_process(task, *process, id);
  }
  pass_on(task, heir, serial, task.slot);
  clear_unborn(task, heir);
}

void sys_share_memory(Task& task) {
  const Critical critical(task);
  task.addresses->is_lent = 1;
  if (!task.cell->is_poisoned()) lend_process(task);
}

void inherit_attachments(Task& task) {
  AddressMap& map = *task.addresses;
  const u64 heir = map.heir, serial = map.heir_serial;
  map.heir = map.heir_serial = 0;
  const bool has_changed = map.version() != map.heir_version;
  drop_unforked(map);
  if (!take_heirship(task, heir, serial) || has_changed) recount(task);
}

void reap_unborn(Task& reaper, TaskRec& dead, u32 dead_slot) {
  if (dead.unborn != 0) leave_unborn(reaper, dead, dead_slot);
}

}  // namespace ipcell
