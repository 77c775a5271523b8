#include <sys/mman.h>

#include <cerrno>

#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/reap.h"
#include "core/ipc/segment_space.h"
#include "core/ipc/shm.h"
#include "core/ipc/wait.h"
#include "core/syscalls.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace ipcell {

namespace {

// The process that makes the call: another than the task's if they share their memory.
i32 caller_pid(const Task& task) {
  const bool is_shared = task.addresses != nullptr && task.addresses->is_shared != 0;
  return is_shared ? static_cast<i32>(sys::call(SYS_getpid)) : task.identity.pid;
}

// Another thread may have made the process's record since the task looked. No lock is held.
void find_own_process(Task& task) {
  if (task.own_process != 0) [[likely]]
    return;
  Locked table(task, task.cell->layout().processes.lock);
  task.own_process = find_process_locked(*task.cell, process_of(task.identity), 0);
}

using sys::is_error;

// --------------------------------------------------------------------------- shmat

// What a call asks for. Linux: ipc/shm.c:do_shmat()
struct AttachArgs {
  i32 id;
  u64 address = 0;
  bool is_given = false;  // at that address, be it 0
  bool replaces = false;  // what is mapped there
  int protection = PROT_READ | PROT_WRITE;
  bool read_only = false;
  u32 access = kReadForAll | kWriteForAll;
};

// 0 or -EINVAL.
int read_args(AttachArgs& args, int flags) {
  if (args.id < 0) return -EINVAL;
  if (args.address != 0) {
    const u64 inside = args.address & (kPage - 1);
    if (inside != 0) {
      if ((flags & SHM_RND) == 0) return -EINVAL;
      args.address -= inside;
      if (args.address == 0 && (flags & SHM_REMAP) != 0) return -EINVAL;
    }
    args.is_given = true;
  } else if ((flags & SHM_REMAP) != 0) {
    return -EINVAL;
  }
  // Page 0, as SHM_RND gives it, is not looked at before it is taken.
  args.replaces = (flags & SHM_REMAP) != 0 || args.address == 0;
  if ((flags & SHM_RDONLY) != 0) {
    args.protection = PROT_READ;
    args.read_only = true;
    args.access = kReadForAll;
  }
  if ((flags & SHM_EXEC) != 0) {
    args.protection |= PROT_EXEC;
    args.access |= kExecForAll;
  }
  return 0;
}

// What an attachment needs to know of its segment.
struct Target {
  u64 offset;
  PageRange pages;
  i64 atime;  // from before
  i32 lpid;
  bool stands;  // somewhere in the file
};

constexpr int kNeedsRecord = 1;

// Counts the attachment, so that the segment stays. 0, kNeedsRecord, -EINVAL, -EIDRM, -EACCES,
// -EIO.
int count_attachment(Task& task, const AttachArgs& args, Target& target, bool again) {
  target.offset = find_record(task, shm_registry(*task.cell), args.id);
  if (target.offset == 0) return again ? -EIDRM : -EINVAL;
  find_own_process(task);
  LockedSegment segment(task, target.offset, true);
  if (!segment) return -EIO;
  if (!segment.is(args.id)) return again ? -EIDRM : -EINVAL;
  if (!is_permitted(*task.cred, segment->perm, args.access)) return -EACCES;
  HoldRec* hold = find_attachment(task, *segment);
  if (hold == nullptr) return task.cell->is_poisoned() ? -EIO : kNeedsRecord;
  target.pages = {segment->first_page, segment->pages};
  target.stands = segment->in_space != 0;
  target.atime = segment->atime;
  target.lpid = segment->lpid;
  change_attachments(task, *segment, *hold, {1, 0}, caller_pid(task));
  return 0;
}

// The call failed: it was never attached. Linux: ipc/shm.c:do_shmat(), out_nattch
void uncount_attachment(Task& task, const Target& target) {
  LockedSegment segment(task, target.offset);
  if (!segment) return;
  HoldRec* hold = find_attachment(task, *segment);
  if (hold == nullptr || hold->amount == 0) return;
  Journal journal(task);
  set_amount(journal, *task.cell, segment->holds, *hold, hold->amount - 1);
  journal.set(segment->nattch, segment->nattch - 1);
  note_last_detach(journal, *task.cell, *segment);
  journal.set_if_changed(segment->atime, target.atime);
  journal.set_if_changed(segment->lpid, target.lpid);
  if (is_doomed(*segment)) journal.set(task.rec->doomed, target.offset);
  journal.commit();
}

// Takes the addresses if nothing is mapped there. 0, -EINVAL, or what mmap(2) says.
long take_addresses(u64 address, u64 size) {
  if (address + size < address) return -EINVAL;
  const long start = static_cast<long>(address), length = static_cast<long>(size);
  const long taken = sys::map(address, size, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE);
  if (taken == start) return 0;
  if (is_error(taken)) return taken == -EEXIST ? -EINVAL : taken;
  // Before Linux 4.17 the flag is only a hint.
  sys::call(SYS_munmap, taken, length);
  return -EINVAL;
}

// Maps the segment and notes the piece. The map is locked. The address or -errno.
long map_segment(Task& task, const AttachArgs& args, const Target& target) {
  AddressMap& map = *task.addresses;
  const u64 size = target.pages.bytes();
  const bool takes = args.is_given && !args.replaces;
  // Larger than any address space: something is in its way.
  if (!target.stands) return takes ? -EINVAL : -ENOMEM;
  // First of all: nothing of our own may take the place.
  if (takes) {
    if (const long error = take_addresses(args.address, size)) return error;
  }
  const long address = map.make_room(2) ? map.file.map(target.pages, args.address, args.is_given,
                                                       args.protection, args.read_only)
                                        : -ENOMEM;
  if (is_error(address)) {
    if (takes) sys::call(SYS_munmap, static_cast<long>(args.address), static_cast<long>(size));
    // An address that no process can have: mmap(2) would say so otherwise.
    return address == -EINVAL ? -ENOMEM : address;
  }
  const u64 start = static_cast<u64>(static_cast<unsigned long>(address));
  // What stood there is detached.
  if (args.replaces && args.is_given) forget_range(task, start, start + size);
  map.add({start, start + size, target.offset, 0, map.next_attachment(),
           static_cast<u32>(args.protection) | (args.read_only ? kPieceReadOnly : 0u)});
  return address;
}

long attach(Task& task, const AttachArgs& args) {
  Target target;
  int error = count_attachment(task, args, target, false);
  if (error == kNeedsRecord) {
    error = make_attachment(task, args.id, target.offset);
    if (error == 0) error = count_attachment(task, args, target, true);
  }
  if (error != 0) return error == kNeedsRecord ? -EIDRM : error;
  const long address = map_segment(task, args, target);
  if (is_error(address)) uncount_attachment(task, target);
  return address;
}

// --------------------------------------------------------------------------- shmdt

// The piece is where the attachment at `address` has it. Linux: ipc/shm.c:ksys_shmdt()
bool is_part_of(const Piece& piece, u64 address) {
  return (piece.start - address) / kPage == piece.page && piece.start >= address;
}

// Unmaps the piece, and forgets it. 0 or -errno.
long unmap_piece(Task& task, u32 index) {
  AddressMap& map = *task.addresses;
  const Piece piece = map.at(index);
  const long error =
      sys::call(SYS_munmap, static_cast<long>(piece.start), static_cast<long>(piece.size()));
  if (error != 0) return error;
  map.erase(index);
  note_change(task, piece.segment, {0, 1});
  return 0;
}

// Index of the first piece that fits, or -1. The map is locked.
i32 find_first_part(const AddressMap& map, u64 address) {
  i32 index = map.find_from(address);
  while (index >= 0 && !is_part_of(map.at(static_cast<u32>(index)), address)) --index;
  return index;
}

// Linux: ipc/shm.c:ksys_shmdt(). The first piece that fits names the attachment; of that, all that
// fit are taken that end within the segment's size. The map is locked.
long detach(Task& task, u64 address) {
  AddressMap& map = *task.addresses;
  i32 index = find_first_part(map, address);
  if (index < 0) return -EINVAL;
  const Piece first = map.at(static_cast<u32>(index));
  u64 size = 0;
  {
    LockedSegment segment(task, first.segment);
    if (!segment) return -EIO;
    size = segment->pages * kPage;
  }
  unmap_piece(task, static_cast<u32>(index));
  // Those above stand before it.
  for (--index; index >= 0; --index) {
    const Piece piece = map.at(static_cast<u32>(index));
    if (piece.end - address > size) break;
    if (piece.attachment == first.attachment && is_part_of(piece, address))
      unmap_piece(task, static_cast<u32>(index));
  }
  return 0;
}

// --------------------------------------------------------------------------- the dead

// All attachments of the process end.
void detach_all(Task& task, SegmentRec& segment, HoldRec& hold) {
  const ProcessRec* process = process_at(*task.cell, hold.process);
  if (process == nullptr) {
    task.cell->poison(kBrokenHolds);
    return;
  }
  if (process->pid != 0) task.buried_pid = process->pid;
  change_attachments(task, segment, hold, {0, hold.amount}, process->pid);
}

}  // namespace

// --------------------------------------------------------------------------- counts

void LockedSegment::detach_dead() {
  if (segment_->live == 0 || task_.cell->is_poisoned()) return;
  bool is_dying = false;
  while (HoldRec* hold = find_over(task_, segment_->holds, Dead::Armed, 0, &is_dying)) {
    // One that would stay in the list.
    if (hold->amount == 0) task_.cell->poison(kBrokenHolds);
    detach_all(task_, *segment_, *hold);
    if (task_.cell->is_poisoned()) return;
  }
}

void change_attachments(Task& task, SegmentRec& segment, HoldRec& hold, AttachChange change,
                        i32 pid) {
  // Never below 0, whatever a damaged cell says.
  const u32 closed =
      change.closed < hold.amount + change.opened ? change.closed : hold.amount + change.opened;
  Journal journal(task);
  set_amount(journal, *task.cell, segment.holds, hold, hold.amount + change.opened - closed);
  journal.set_if_changed(segment.nattch, segment.nattch + change.opened - closed);
  if (change.opened != 0) {
    journal.set_if_changed(segment.atime, now(task));
    journal.set_if_changed(segment.is_touched, 1u);
  }
  if (change.closed != 0) journal.set_if_changed(segment.dtime, now(task));
  journal.set_if_changed(segment.lpid, pid);
  if (change.closed != 0) note_last_detach(journal, *task.cell, segment);
  // One at a time: what is not noted here is removed by who meets it.
  if (is_doomed(segment) && task.rec->doomed == 0)
    journal.set(task.rec->doomed, task.cell->offset_of(&segment));
  journal.commit();
}

HoldRec* find_attachment(Task& task, const SegmentRec& segment) {
  const Cell& cell = *task.cell;
  if (task.own_process == 0) return nullptr;
  const u64 offset = cell.offset_of(&segment);
  const auto is_ours = [&](const HoldRec& hold) {
    return hold.live != 0 && hold.process == task.own_process && hold.object == offset &&
           hold.object_id == segment.perm.id && hold.image == task.identity.image;
  };
  HoldHint& hint = task.attach_hints[static_cast<u32>(segment.perm.id) % Task::kHoldHints];
  if (hint.object == offset) {
    HoldRec* hold = hold_at(cell, hint.hold);
    if (hold != nullptr && is_ours(*hold)) [[likely]]
      return hold;
  }
  HoldRec* found = nullptr;
  for_each_hold(cell, segment.holds.all, &HoldRec::object_next, [&](HoldRec& hold) {
    if (is_ours(hold)) found = &hold;
    return found == nullptr;
  });
  if (found != nullptr) hint = {offset, cell.offset_of(found)};
  return found;
}

int make_attachment(Task& task, i32 id, u64 offset) {
  const Cell& cell = *task.cell;
  Locked table(task, cell.layout().processes.lock);
  HoldBlocks blocks;
  u64 process;
  const int error =
      reserve_hold(task, BlockClass::Attach, process_of(task.identity), 0, blocks, &process);
  if (error != 0) return error;
  if (process != 0) task.own_process = process;
  LockedSegment segment(task, offset);
  if (!segment || cell.is_poisoned()) return -EIO;
  if (!segment.is(id)) return -EIDRM;
  // Another thread of the process may have been faster.
  if (HoldRec* hold = find_attachment(task, *segment)) {
    if (hold->witness != task.slot && !has_living_witness(cell, hold->witness)) {
      Journal journal(task);
      journal.set(hold->witness, task.slot);
      journal.commit();
    }
    return 0;
  }
  HoldRec& hold = clear_hold(blocks, BlockClass::Attach);
  hold.object = offset;
  hold.object_id = segment->perm.id;
  hold.witness = task.slot;
  hold.image = task.identity.image;
  Journal journal(task);
  if (process == 0) {
    process = link_process(journal, task, blocks, process_of(task.identity), 0);
    blocks.process.as<ProcessRec>()->is_lent = task.addresses->is_lent;
  }
  link_hold(journal, task, blocks, segment->holds, process);
  journal.commit();
  task.own_process = process;
  return 0;
}

void note_change(Task& task, u64 segment_offset, AttachChange change) {
  find_own_process(task);
  {
    LockedSegment segment(task, segment_offset, true);
    if (!segment) return;
    if (HoldRec* hold = find_attachment(task, *segment))
      change_attachments(task, *segment, *hold, change, caller_pid(task));
  }
  remove_doomed_met(task);
}

bool bury_attachment(Task& task, HoldRec& hold) {
  // All that are dead, in one order whoever looks: the last to attach is detached first.
  LockedSegment segment(task, hold.object, true);
  if (!segment) return false;
  if (segment->live != 0 && hold.amount != 0) detach_all(task, *segment, hold);
  if (task.cell->is_poisoned()) return false;
  Journal journal(task);
  if (!unlink_hold(journal, task, segment->holds, hold)) return false;
  journal.commit();
  return true;
}

// --------------------------------------------------------------------------- the calls

// Linux: ipc/shm.c:do_shmat()
long sys_shmat(Task& task, int id, const void* address, int flags) {
  if (may_fail(task, FaultOp::Shmat)) [[unlikely]] {
    return fail_or_call(
        task,
        {.op = FaultOp::Shmat, .id = id, .flags = static_cast<u32>(flags), .address = address},
        [&] { return sys_shmat(task, id, address, flags); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  AttachArgs args;
  args.id = id;
  args.address = reinterpret_cast<std::uintptr_t>(address);
  if (const int error = read_args(args, flags)) return error;
  if (task.addresses == nullptr) return -ENOMEM;
  long result;
  {
    LockedMap locked(task);
    result = attach(task, args);
  }
  remove_doomed_met(task);
  reap_met(task);
  return result;
}

// Linux: ipc/shm.c:ksys_shmdt()
u64 sys_shmdt_finds(Task& task, const void* address) {
  const Critical critical(task);
  const u64 start = reinterpret_cast<std::uintptr_t>(address);
  if (start % kPage != 0 || task.addresses == nullptr) return ~0ull;
  const LockedMap locked(task);
  const i32 index = find_first_part(*task.addresses, start);
  return index >= 0 ? task.addresses->at(static_cast<u32>(index)).start : ~0ull;
}

long sys_shmdt(Task& task, const void* address) {
  if (may_fail(task, FaultOp::Shmdt)) [[unlikely]] {
    return fail_or_call(task, {.op = FaultOp::Shmdt}, [&] { return sys_shmdt(task, address); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  const u64 start = reinterpret_cast<std::uintptr_t>(address);
  if (start % kPage != 0 || task.addresses == nullptr) return -EINVAL;
  long result;
  {
    LockedMap locked(task);
    result = detach(task, start);
  }
  remove_doomed_met(task);
  reap_met(task);
  return result;
}

}  // namespace ipcell
