// Holds: what a process has in an object, and its end takes back. SEM_UNDO adjustments of a set,
// attachments of a segment. docs/locking.md, "SEM_UNDO" and "Shared memory".
//
// The kernel does it at exit; here whoever looks at an object does it for the processes that it
// finds dead, before anything else.
#pragma once

#include "core/cell/array.h"
#include "core/cell/process.h"

namespace ipcell {

// In the object's record; guarded by its lock.
struct HoldLists {
  u64 all;    // HoldRecs of the object, the newest first
  u64 armed;  // those of them whose amount is not 0
};

// Guarded by the process table's lock, and so are the proc links of its holds.
// Linux: ipc/sem.c:struct sem_undo_list, and what there is of struct mm_struct.
struct ProcessRec {
  u64 free_link;   // FreeBlock::next
  i32 pid;         // 0: of a child that is about to be forked
  i32 tid;         // 0; or the one thread whose list this is, after unshare(CLONE_SYSVSEM)
  u64 start_time;  // of the parent, as long as the pid is 0
  u64 pid_namespace;
  u64 next;     // in the bucket
  u64 holds;    // HoldRecs, the newest first
  u64 serial;   // not 0: made before a fork(2); the number by which parent and child know it again
  u32 is_lent;  // 1: other processes may run in its memory, and live longer
  u32 is_gone;  // 1: it was found to be; a hint that saves others the question, atomic
  u32 is_named_anew;  // 1: pid, start time and namespace are just being changed
  u32 pad;
};
static_assert(sizeof(ProcessRec) <= kBlockSize[static_cast<u32>(BlockClass::Process)]);

// Guarded by the object's lock, but for the proc links.
struct HoldRec {
  u64 free_link;  // FreeBlock::next
  u64 process;    // ProcessRec
  u64 object;     // the record of the set or segment
  i32 object_id;
  u32 live;                    // 1 while it is in the lists of its object and its process
  u32 witness;                 // task slot + 1 of a thread of the process; kNoSlot: none is known
  u32 amount;                  // what there is to be taken back; 0: nothing
  u32 is_spent;                // 1: the process is dead, and this was done
  u32 image;                   // attachments: of the memory that they are in; see TaskRec
  u64 armed_next, armed_prev;  // while amount != 0
  // Up to here it is one cache line: that is all that is read of others' records, as a rule.
  u64 proc_next, proc_prev;
  u64 object_next, object_prev;
};
static_assert(offsetof(HoldRec, proc_next) == 64);

// Which of the processes that have a hold matter to the caller.
enum class Dead {
  Nobody,
  Armed,  // those that would change a value
  All     // those that would change a time as well
};

constexpr char kBrokenHolds[] = "a list of what processes hold is broken";

// --------------------------------------------------------------------------- records and lists

inline HoldRec* hold_at(const Cell& cell, u64 offset) {
  const BlockClass block_class = class_of_block(cell, offset);
  const bool is_hold = block_class == BlockClass::Undo || block_class == BlockClass::Attach;
  return is_hold ? cell.at<HoldRec>(offset) : nullptr;
}
inline ProcessRec* process_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Process ? cell.at<ProcessRec>(offset)
                                                             : nullptr;
}

// Calls `visit(hold)` for each record of a list, until it returns false. The link is read before.
template <class Visit>
void for_each_hold(const Cell& cell, u64 first, u64 HoldRec::*next, Visit visit) {
  // A list that goes round comes to the mark again, which moves on ever more slowly: visits may
  // ask the kernel, and are not to be made millions of times.
  u64 mark = 0;
  u32 steps = 0;
  for (u64 offset = first; offset != 0;) {
    HoldRec* hold = hold_at(cell, offset);
    if (hold == nullptr || offset == mark) {
      cell.poison(kBrokenHolds);
      return;
    }
    ++steps;
    if ((steps & (steps - 1)) == 0) mark = offset;
    offset = hold->*next;
    if (!visit(*hold)) return;
  }
}

// Notes what there is to be taken back, in the caller's transaction.
void set_amount(Journal& journal, const Cell& cell, HoldLists& lists, HoldRec& hold, u32 amount);

// Another task is to tell of the process's end, where `old_witness` was to. The table is locked.
void replace_witness(Task& task, const ProcessRec& process, u32 old_witness, u32 witness);
// The same of one hold. Locks the object.
void set_witness(Task& task, HoldRec& hold, u32 witness);

// A hold that is to be made, and its process's record if it is the first. Fresh memory.
struct HoldBlocks {
  ReservedBlock hold, process;
};
// Finds the process's record (0: there is none), and reserves what is wanting. The table is locked.
// 0, -ENOMEM, -EIO.
int reserve_hold(Task& task, BlockClass hold_class, const ProcessId& id, i32 tid,
                 HoldBlocks& blocks, u64* process);
// Makes the process's record, in the open transaction, and enters it. Its offset.
u64 link_process(Journal& journal, Task& task, const HoldBlocks& blocks, const ProcessId& id,
                 i32 tid);
// Clears the reserved record but for the link of the heap.
HoldRec& clear_hold(const HoldBlocks& blocks, BlockClass hold_class);
// Puts it into the lists, in the open transaction. Table and object are locked.
void link_hold(Journal& journal, Task& task, const HoldBlocks& blocks, HoldLists& lists,
               u64 process);
// Takes the record out of all lists into the task's own fields. Table and object are locked.
// False if the cell is damaged.
bool unlink_hold(Journal& journal, Task& task, HoldLists& lists, HoldRec& hold);

// --------------------------------------------------------------------------- processes

inline ProcessId process_of(const TaskIdentity& identity) {
  return {identity.pid, identity.start_time, identity.pid_namespace};
}
inline ProcessId process_of(const ProcessRec& process) {
  return {process.pid, process.start_time, process.pid_namespace};
}

// The table is locked. 0 if there is none. `tid`: the list of that thread alone; 0: the process's.
u64 find_process_locked(const Cell& cell, const ProcessId& id, i32 tid);

inline bool has_living_witness(const Cell& cell, u32 witness) {
  const TaskRec* rec = cell.task(witness);
  // A token that was renamed for an exec(2) is marked by that alone: it proves nothing.
  return rec != nullptr && !is_token_dead(rec->token) && load_relaxed(rec->is_execing) == 0;
}

// True if the process has come to its end, or what it held has ended by exec(2). Asked when the
// witness is dead, or none is known.
bool is_over(Task& task, const HoldRec& hold);

// The next record whose process has come to its end. nullptr if there is none. `own_process`: that
// lives. `*is_dying`: a process may be about to.
HoldRec* find_over(Task& task, const HoldLists& lists, Dead which, u64 own_process, bool* is_dying);

// --------------------------------------------------------------------------- ends

// A task joins its process: what the process holds, from before an exec(2) or by threads that have
// ended, has a living witness again. Attachments from before an exec(2) end.
void join_process(Task& task);
// A dead task's slot is about to be freed: if its process is gone as well, what it held is taken
// back and freed; else it gets another witness.
void reap_holds(Task& reaper, const TaskRec& dead, u32 dead_slot);
// Frees the records that were made for children who were never born. With the reap lock held.
void free_unborn(Task& task);
// Frees the records of the process that the task has buried on its way, if no slot of it is left to
// be reaped. The task holds no lock.
void reap_buried(Task& task);
// Takes back and frees all that the process, or the thread, holds. With the reap lock held.
void bury_process(Task& task, ProcessRec& process);
// The same of the adjustments alone.
void bury_adjustments(Task& task, ProcessRec& process);
// Another process is about to run in the memory of the task's own.
void lend_process(Task& task);
// Gives the record of a child its pid, now that there is one. The table is locked.
void name_process(Task& task, ProcessRec& process, const ProcessId& id);
// Frees what unlink_hold() took out.
void free_unlinked_hold(Task& task);

}  // namespace ipcell
