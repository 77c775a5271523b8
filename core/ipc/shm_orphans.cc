// kernel.shm_rmid_forced: segments that end with their last attachment, or with the thread that
// made them. Nothing runs at the end of a thread: whoever looks at a segment does it first, as with
// attachments of the dead.
#include "core/ipc/shm.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// True if the slot still is the thread's, which lives.
bool has_living_maker(const Cell& cell, const SegmentRec& segment, const ProcessId& process) {
  const TaskRec* rec = cell.task(segment.maker_slot);
  return rec != nullptr && !is_token_dead(rec->token) && rec->tid == segment.maker_tid &&
         is_identical(process_of(*rec), process);
}

// Linux: ipc/shm.c:exit_shm(). exec(2) is no end: the token is dead then, but not the thread.
bool is_maker_gone(const Task& task, const SegmentRec& segment) {
  if (segment.maker_tid == 0) return true;
  // Of processes of another pid namespace nothing is known.
  if (segment.maker_namespace != task.identity.pid_namespace) return false;
  const ProcessId maker = {segment.cpid, segment.maker_start_time, segment.maker_namespace};
  return !has_living_maker(*task.cell, segment, maker) && is_thread_gone(maker, segment.maker_tid);
}

bool is_maker(const Task& task, const SegmentRec& segment) {
  return segment.maker_tid == task.identity.tid && segment.cpid == task.identity.pid &&
         segment.maker_namespace == task.identity.pid_namespace;
}

}  // namespace

void LockedSegment::look_for_maker() {
  if (segment_->live == 0 || segment_->is_unwanted != 0 || task_.cell->is_poisoned()) return;
  if (segment_->holds.armed != 0) detach_dead();
  if (segment_->nattch != 0 || segment_->is_unwanted != 0 || !is_maker_gone(task_, *segment_))
    return;
  Journal journal(task_);
  journal.set(segment_->is_unwanted, 1u);
  // If this task dies before it has removed it, the reaper goes on.
  if (task_.rec->doomed == 0) journal.set(task_.rec->doomed, task_.cell->offset_of(segment_));
  journal.commit();
}

void note_last_detach(Journal& journal, const Cell& cell, SegmentRec& segment) {
  if (segment.nattch == 0 && is_removal_forced(cell))
    journal.set_if_changed(segment.is_unwanted, 1u);
}

// Linux: ipc/shm.c:exit_shm(), as unshare(2) calls it
void sys_leave_segments(Task& task) {
  const Critical critical(task);
  const Registry& registry = shm_registry(*task.cell);
  for (i32 idx = 0; idx <= load_acquire(registry.max_idx); ++idx) {
    if (task.cell->is_poisoned() || idx >= static_cast<i32>(kMaxIds)) return;
    const u64 offset = peek_record(registry, idx);
    if (offset == 0) continue;
    LockedSegment segment(task, offset);
    if (!segment || segment->live == 0 || !is_maker(task, *segment)) continue;
    Journal journal(task);
    journal.set(segment->maker_tid, 0);
    journal.commit();
  }
  remove_orphans(task);
}

// Linux: ipc/shm.c:shm_destroy_orphaned()
void remove_orphans(Task& task) {
  if (is_removal_forced(*task.cell)) sweep_segments(task);
}

}  // namespace ipcell
