#include "core/ipc/shm.h"

#include <sys/resource.h>

#include <cerrno>

#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/reap.h"
#include "core/ipc/segment_space.h"
#include "core/ipc/wait.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

#ifndef SHM_NORESERVE
#define SHM_NORESERVE 010000
#endif

// Segments of more pages than any address space has can be made, with SHM_NORESERVE, but not
// attached: they stand nowhere.
constexpr u64 kAddressablePages = 1ull << 35;

// --------------------------------------------------------------------------- making

// Modulo 2^64: a damaged cell may say anything.
void add_pages(Journal& journal, Registry& registry, u64 pages) {
  journal.set(registry.total, static_cast<i64>(static_cast<u64>(registry.total) + pages));
}

struct SegmentArgs {
  Key key;
  u64 size;
  int flags;

  u64 pages() const { return pages_of(size); }
};

#if defined(__x86_64__) || defined(__i386__)
constexpr u32 kHugePageShifts[] = {21, 30};
#else
constexpr u32 kHugePageShifts[] = {16, 21, 25, 30};
#endif

// As a kernel answers that has no huge pages. Linux: mm/hugetlb.c:hugetlb_file_setup()
int refuse_huge_pages(const Task& task, const SegmentArgs& args) {
  const u32 shift = static_cast<u32>(args.flags) >> 26 & 0x3f;
  bool is_known = shift == 0;
  for (u32 known : kHugePageShifts) is_known = is_known || shift == known;
  if (!is_known) return -EINVAL;
  const Cred& cred = *task.cred;
  // vm.hugetlb_shm_group is 0 if nobody changed it.
  if (cred.has_capability(kCapIpcLock) || cred.is_in_group(0)) return -ENOMEM;
  return args.pages() * kPage <= memory_lock_limit() ? -ENOMEM : -EPERM;
}

bool is_over_shmall(const Task& task, const Registry& registry, u64 pages) {
  const u64 total = static_cast<u64>(registry.total);
  return total + pages < total || total + pages > load_relaxed(task.cell->header().limits.shmall);
}

// Linux: ipc/shm.c:newseg(), what it checks first. The registry is locked.
int check_new(const Task& task, const Registry& registry, const SegmentArgs& args) {
  const Limits& limits = task.cell->header().limits;
  if (args.size < SHMMIN || args.size > limit_of(task, limits.shmmax)) return -EINVAL;
  if (args.pages() * kPage < args.size || is_over_shmall(task, registry, args.pages()))
    return -ENOSPC;
  if ((args.flags & SHM_HUGETLB) != 0) return refuse_huge_pages(task, args);
  // No file can be larger.
  return static_cast<i64>(args.size) < 0 ? -EINVAL : 0;
}

// A fresh record: nobody finds it before it has an id, but a stale id may lead a task to its lock.
void init_segment(const Task& task, SegmentRec& segment, const SegmentArgs& args) {
  segment.live = 0;
  segment.perm = fresh_perm(*task.cred, args.key, static_cast<u32>(args.flags));
  segment.size = args.size;
  segment.atime = segment.dtime = 0;
  segment.ctime = now(task);
  segment.cpid = task.identity.pid;
  segment.lpid = 0;
  segment.nattch = 0;
  segment.holds = {0, 0};
  segment.is_touched = segment.locker_uid = segment.is_unwanted = 0;
  segment.maker_tid = task.identity.tid;
  segment.maker_slot = task.slot;
  segment.maker_start_time = task.identity.start_time;
  segment.maker_namespace = task.identity.pid_namespace;
  segment.first_key = segment.perm.key;
  segment.in_space = segment.is_promised = segment.is_abandoned = 0;
  segment.pages = args.pages();
  segment.first_page = segment.space_next = segment.space_prev = 0;
}

// Builds a segment without an id in task.rec->destroying, from where a reaper tears it down.
// The registry is locked. 0, -ENOMEM, -EIO.
int build_segment_locked(Task& task, const SegmentArgs& args) {
  const Cell& cell = *task.cell;
  ReservedBlock block;
  if (const int error = block.reserve(task, BlockClass::Segment)) return error;
  u64 first_page = 0, before = 0;
  const bool has_room = find_room(cell, args.pages(), &first_page, &before);
  const bool is_boundless = args.pages() >= kAddressablePages && (args.flags & SHM_NORESERVE) != 0;
  if (!has_room && !is_boundless) return cell.is_poisoned() ? -EIO : -ENOMEM;
  SegmentRec& segment = *block.as<SegmentRec>();
  Locked locked(task, segment.lock);
  init_segment(task, segment, args);
  segment.first_page = first_page;
  Journal journal(task);
  block.take(journal, task);
  if (has_room) link_segment(journal, cell, segment, before);
  journal.set(task.rec->destroying, block.offset());
  journal.commit();
  return 0;
}

SegmentRec& built_segment(const Task& task) {
  return *task.cell->at<SegmentRec>(task.rec->destroying);
}

// Gives the built segment its id. The registry is locked.
int add_segment_locked(Task& task, Registry& registry) {
  if (class_of_block(*task.cell, task.rec->destroying) != BlockClass::Segment)
    return task.cell->poison("a task makes what is no segment");
  SegmentRec& segment = built_segment(task);
  // Locked until the commit: who finds the record before it waits here, and learns what came of it.
  Locked locked(task, segment.lock);
  // Others may have made some meanwhile.
  if (is_over_shmall(task, registry, segment.pages)) return -ENOSPC;
  Journal journal(task);
  const i32 limit = static_cast<i32>(limit_of(task, task.cell->header().limits.shmmni));
  const int id =
      add_id_locked(journal, *task.cell, registry, task.rec->destroying, segment.perm, limit);
  if (id < 0) return id;
  add_pages(journal, registry, segment.pages);
  journal.set(segment.live, 1u);
  journal.set(task.rec->destroying, 0);
  journal.commit();
  return id;
}

// --------------------------------------------------------------------------- getting

// Linux: ipc/util.c:ipcget_public(): ipc/shm.c:shm_more_checks() comes before ipc_check_perms().
int existing_segment_locked(Task& task, u64 offset, u64 size, int flags) {
  LockedSegment segment(task, offset);
  if (!segment) return -EIO;
  if (segment->size < size) return -EINVAL;
  if (!is_permitted(*task.cred, segment->perm, static_cast<u32>(flags))) return -EACCES;
  if (segment->perm.id < 0) return task.cell->poison("a segment's id is negative");
  return segment->perm.id;
}

// There is no such segment, and none has been built yet.
constexpr int kMustBuild = -4095;

int get_segment(Task& task, const SegmentArgs& args) {
  Registry& registry = shm_registry(*task.cell);
  return get_object(
      task, registry, args.key, args.flags,
      [&] {
        if (task.rec->destroying != 0) return add_segment_locked(task, registry);
        if (const int error = check_new(task, registry, args)) return error;
        const int error = build_segment_locked(task, args);
        return error != 0 ? error : kMustBuild;
      },
      [&](u64 offset) { return existing_segment_locked(task, offset, args.size, args.flags); });
}

int get_or_make_segment(Task& task, const SegmentArgs& args) {
  int result = get_segment(task, args);
  if (result != kMustBuild) return result;
  const bool is_reserved = (args.flags & SHM_NORESERVE) == 0;
  result = is_reserved ? secure_memory(task, built_segment(task)) : 0;
  if (result == 0) result = get_segment(task, args);
  // Another task may have made one with the key.
  if (task.rec->destroying != 0) tear_down_segment(task);
  return result;
}

// --------------------------------------------------------------------------- removal

void free_attachments_of(Task& task, u64 segment_offset) {
  for (;;) {
    {
      Locked table(task, task.cell->layout().processes.lock);
      LockedSegment segment(task, segment_offset);
      if (!segment || segment->holds.all == 0) return;
      HoldRec* hold = hold_at(*task.cell, segment->holds.all);
      if (hold == nullptr) task.cell->poison(kBrokenHolds);
      if (task.cell->is_poisoned()) return;
      Journal journal(task);
      if (!unlink_hold(journal, task, segment->holds, *hold)) return;
      journal.commit();
    }
    free_unlinked_hold(task);
  }
}

// The pages of the task's segment are zero again, and without memory. False if that can't be done.
bool give_pages_back(Task& task, const SegmentRec& segment) {
  if (segment.in_space == 0 || (segment.is_touched == 0)) return true;
  return task.addresses != nullptr && task.addresses->file.release(range_of(segment)) == 0;
}

// One of the segments whose pages somebody could not give back. False if there is none.
bool adopt_abandoned(Task& task) {
  const Cell& cell = *task.cell;
  SegmentSpace& space = cell.layout().segment_space;
  if (load_relaxed(space.abandoned) == 0) return false;
  Locked locked(task, shm_registry(cell).lock);
  for (u64 at = space.first, steps = 0; at != 0 && steps < kTaskSlots; ++steps) {
    if (class_of_block(cell, at) != BlockClass::Segment) return false;
    SegmentRec& segment = *cell.at<SegmentRec>(at);
    if (segment.is_abandoned != 0) {
      Journal journal(task);
      journal.set(segment.is_abandoned, 0u);
      journal.set(space.abandoned, space.abandoned - 1);
      journal.set(task.rec->destroying, at);
      journal.commit();
      return true;
    }
    at = segment.space_next;
  }
  return false;
}

}  // namespace

u64 memory_lock_limit() { return sys::soft_limit(RLIMIT_MEMLOCK, 0); }

void tear_down_segment(Task& task) {
  const Cell& cell = *task.cell;
  const u64 offset = task.rec->destroying;
  free_attachments_of(task, offset);
  if (cell.is_poisoned()) return;
  SegmentRec& segment = *cell.at<SegmentRec>(offset);
  const bool is_clean = give_pages_back(task, segment);
  {
    Locked registry(task, shm_registry(cell).lock);
    Journal journal(task);
    if (is_clean) {
      unlink_segment(journal, cell, segment);
      journal.set(task.rec->loose, offset);
    } else {
      SegmentSpace& space = cell.layout().segment_space;
      journal.set(segment.is_abandoned, 1u);
      journal.set(space.abandoned, space.abandoned + 1);
    }
    journal.set(task.rec->destroying, 0);
    journal.commit();
  }
  if (task.rec->loose != 0) free_block(task, task.rec->loose);
}

void remove_doomed(Task& task) {
  const Cell& cell = *task.cell;
  const u64 offset = task.rec->doomed;
  {
    Registry& registry = shm_registry(cell);
    Locked locked(task, registry.lock);
    LockedSegment segment(task, offset);
    if (!segment || cell.is_poisoned()) return;
    Journal journal(task);
    journal.set(task.rec->doomed, 0);
    if (segment->live != 0 && is_doomed(*segment)) {
      remove_id_locked(journal, cell, registry, segment->perm);
      add_pages(journal, registry, 0 - segment->pages);
      SegmentSpace& space = cell.layout().segment_space;
      if ((segment->perm.mode & SHM_DEST) != 0) journal.set(space.marked, space.marked - 1);
      journal.set(segment->live, 0u);
      journal.set(task.rec->destroying, offset);
    }
    journal.commit();
  }
  if (task.rec->destroying != 0) tear_down_segment(task);
}

void sweep_segments(Task& task, bool only_marked) {
  const Cell& cell = *task.cell;
  const Registry& registry = shm_registry(cell);
  if (only_marked && load_acquire(cell.layout().segment_space.marked) == 0) return;
  // No further than there are indexes, whatever the cell says.
  for (i32 idx = 0; idx < static_cast<i32>(kMaxIds) && !cell.is_poisoned(); ++idx) {
    if (idx > load_acquire(registry.max_idx)) break;
    const u64 offset = peek_record(registry, idx);
    if (offset == 0) continue;
    const SegmentRec* record = cell.at<SegmentRec>(offset);
    if (only_marked && record != nullptr && (load_relaxed(record->perm.mode) & SHM_DEST) == 0)
      continue;
    {
      LockedSegment segment(task, offset, true);
      if (segment) (void)segment.is_there();
    }
    remove_doomed_met(task);
  }
}

// Linux: ipc/shm.c:ksys_shmget()
long sys_shmget(Task& task, int key, std::size_t size, int flags) {
  if (may_fail(task, FaultOp::Shmget)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Shmget,
                         .key = static_cast<u32>(key),
                         .flags = static_cast<u32>(flags),
                         .size = size},
                        [&] { return sys_shmget(task, key, size, flags); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  const SegmentArgs args = {static_cast<Key>(key), size, flags};
  // Before the program looks for addresses to attach at.
  if (task.addresses != nullptr) {
    LockedMap locked(task);
    task.addresses->file.open_windows();
    (void)task.addresses->make_room(1);
  }
  if (adopt_abandoned(task)) tear_down_segment(task);
  // The next id, and what there is room for, depend on what is gone with the dead.
  sweep_segments(task, !is_removal_forced(*task.cell));
  int result = get_or_make_segment(task, args);
  if (result == -ENOSPC || result == -ENOMEM) {
    // A task that died while it removed a segment may have kept the room.
    reap_dead_tasks(task);
    sweep_segments(task);
    result = get_or_make_segment(task, args);
  }
  reap_met(task);
  return result;
}

}  // namespace ipcell
