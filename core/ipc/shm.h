// System V shared memory: records, and what the files of this family share.
//
//   shm.cc           shmget
//   shm_attach.cc    shmat, shmdt; attachments and their counts
//   shm_remap.cc     munmap, mremap, mprotect and their like, where they meet attachments
//   shm_fork.cc      fork and exec
//   shm_ctl.cc       shmctl
//   shm_maps.cc      which segment a mapping shows, for /proc/PID/maps
//   shm_orphans.cc   kernel.shm_rmid_forced
//   segment_space.*  where segments' pages stand, and what memory is behind them
//   address_map.*    what a process has attached
#pragma once

#include <sys/shm.h>

#include "core/ipc/address_map.h"
#include "core/ipc/holds.h"
#include "core/ipc/registry.h"

namespace ipcell {

// Linux: ipc/shm.c:struct shmid_kernel. Guarded by lock, but for the part of SegmentSpace.
struct SegmentRec {
  u64 free_link;  // FreeBlock::next
  LockWord lock;  // never initialised: it is valid in free records too (stale ids meet it)
  u32 live;       // 1 from creation to removal
  PermRec perm;   // its mode has SHM_DEST and SHM_LOCKED, too
  u64 size;       // bytes, as asked for
  i64 atime, dtime, ctime;  // seconds since the epoch
  i32 cpid, lpid;
  u64 nattch;       // attachments: the amounts of all AttachRecs
  HoldLists holds;  // AttachRecs of the processes that attached it
  u32 is_touched;   // 1: its pages may have memory
  u32 locker_uid;   // who locked it (SHM_LOCKED)
  // The thread that made it, for kernel.shm_rmid_forced; its process is cpid.
  i32 maker_tid;         // 0: it has left the namespace, and may come back as a stranger
  u32 maker_slot;        // its task slot + 1; may be another's by now
  u32 is_unwanted;       // 1: under shm_rmid_forced its last attachment or its maker ended
  u64 maker_start_time;  // of its process; 0 if unknown
  u64 maker_namespace;   // of its pids
  i32 first_key;         // that it was made with: /proc/PID/maps tells it for ever
  u32 in_space;  // 1: SegmentSpace lists it; guarded by the registry's lock, as all from here on
  u64 first_page;
  u64 pages;       // none of them are there if the size is beyond any address space
  u64 space_next;  // the segment with the next pages
  u64 space_prev;
  u32 is_promised;   // 1: its pages are paid for when touched
  u32 is_abandoned;  // 1: its pages could not be given back: somebody else is to try
};
static_assert(kHasObjectHead<SegmentRec>);
static_assert(sizeof(SegmentRec) <= kBlockSize[static_cast<u32>(BlockClass::Segment)]);
static_assert(sizeof(HoldRec) <= kBlockSize[static_cast<u32>(BlockClass::Attach)]);

inline Registry& shm_registry(const Cell& cell) { return cell.layout().registries[kFamilyShm]; }

constexpr u64 pages_of(u64 size) { return size / kPage + (size % kPage != 0 ? 1 : 0); }

// Removed or unwanted, and nobody is attached any more: to everybody it is as if it were not there.
// Linux: ipc/shm.c:shm_may_destroy()
inline bool is_doomed(const SegmentRec& segment) {
  const bool is_to_go = (segment.perm.mode & SHM_DEST) != 0 || segment.is_unwanted != 0;
  return is_to_go && segment.nattch == 0;
}

// kernel.shm_rmid_forced
inline bool is_removal_forced(const Cell& cell) {
  return load_relaxed(cell.header().limits.shm_rmid_forced) != 0;
}

// A segment's record with its lock held; the dead have been detached if that matters to the caller.
class LockedSegment {
 public:
  // `counts`: the caller reads nattch, dtime or lpid, or is to be the last to change them.
  LockedSegment(Task& task, u64 offset, bool counts = false)
      : task_(task), segment_(class_of_block(*task.cell, offset) == BlockClass::Segment
                                  ? task.cell->at<SegmentRec>(offset)
                                  : nullptr) {
    if (segment_ == nullptr) [[unlikely]] {
      task.cell->poison("an identifier leads to no segment");
      return;
    }
    lock(task_, segment_->lock);
    if (segment_->holds.armed != 0 && (counts || (segment_->perm.mode & SHM_DEST) != 0))
      detach_dead();
    if (is_removal_forced(*task_.cell)) [[unlikely]]
      look_for_maker();
  }
  ~LockedSegment() {
    if (segment_ != nullptr) unlock(task_, segment_->lock);
  }
  LockedSegment(const LockedSegment&) = delete;
  LockedSegment& operator=(const LockedSegment&) = delete;

  // False if the offset was no segment's; poisoned then.
  explicit operator bool() const { return segment_ != nullptr; }
  // True if it is an object just now. One that is doomed is noted, to be removed.
  bool is_there() const {
    if (segment_->live == 0) return false;
    if (!is_doomed(*segment_)) [[likely]]
      return true;
    if (task_.rec->doomed == 0) store_relaxed(task_.rec->doomed, task_.cell->offset_of(segment_));
    return false;
  }
  // True if it still is the object of that id.
  bool is(i32 id) const { return segment_->perm.id == id && is_there(); }
  SegmentRec* operator->() const { return segment_; }
  SegmentRec& operator*() const { return *segment_; }

 private:
  void detach_dead();
  void look_for_maker();

  Task& task_;
  SegmentRec* segment_;
};

// --------------------------------------------------------------------------- removal

// Removes the segment that the task has met or made doomed, if it still is. No lock is held.
void remove_doomed(Task& task);
inline void remove_doomed_met(Task& task) {
  if (task.rec->doomed != 0) [[unlikely]]
    remove_doomed(task);
}
// Tears the segment of task.rec->destroying down, removed or never finished: gives its pages back,
// and frees what belongs to it.
void tear_down_segment(Task& task);
// Detaches the dead everywhere, or from removed segments alone, and removes what is doomed.
void sweep_segments(Task& task, bool only_marked = false);
// Behind a store to kernel.shm_rmid_forced: removes what nobody wants by that.
void remove_orphans(Task& task);
// The caller's transaction has taken an attachment away.
void note_last_detach(Journal& journal, const Cell& cell, SegmentRec& segment);

// Pages of the segment that have memory.
u64 count_resident(Task& task, const SegmentRec& segment);
// RLIMIT_MEMLOCK in bytes.
u64 memory_lock_limit();

// --------------------------------------------------------------------------- attachments

// Changes of one process's attachments of one segment, made or ended, with the times that they
// leave. Linux: ipc/shm.c:__shm_open(), shm_close()
struct AttachChange {
  u32 opened = 0;
  u32 closed = 0;
};
// The segment is locked, and the process has a record for it. Notes a segment that is doomed now.
void change_attachments(Task& task, SegmentRec& segment, HoldRec& hold, AttachChange change,
                        i32 pid);
// The task's process's record for the segment, whose lock is held; nullptr if it has none.
HoldRec* find_attachment(Task& task, const SegmentRec& segment);
// Makes one, with no lock held, if another thread was not faster. 0, -EIDRM, -ENOMEM, -EIO.
int make_attachment(Task& task, i32 id, u64 offset);
// The same in short for the pieces of the address map, which the process has a record for.
void note_change(Task& task, u64 segment_offset, AttachChange change);

// --- shm_remap.cc; the address map is locked

// What was mapped in [start, end) is there no more.
void forget_range(Task& task, u64 start, u64 end);

// Does for the record what the end of its process does, and takes it out of all lists; the process
// table is locked. False if the cell is damaged.
bool bury_attachment(Task& task, HoldRec& hold);

// --------------------------------------------------------------------------- fork and exec

// A fresh task in a forked child, whose address map has pieces: they are the child's own now.
void inherit_attachments(Task& task);
// A dead task was in fork(2).
void reap_unborn(Task& reaper, TaskRec& dead, u32 dead_slot);

}  // namespace ipcell
