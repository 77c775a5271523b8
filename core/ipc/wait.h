// What the families share about blocked operations.
#pragma once

#include "core/cell/wait_queue.h"

namespace ipcell {

// The clock that stamps objects, in seconds. Linux: ktime_get_real_seconds()
i64 now(const Task& task);

// The task of a list's entry, if it can be one and its list can't go round. nullptr: poisoned.
TaskRec* waiter_at(const Cell& cell, u32 slot, u32 steps);

// A damaged object: takes the task's open transaction back and marks the cell.
void give_up(Task& task, const char* reason);
constexpr char kBrokenWaiters[] = "an object's list of waiters is broken";

// Ends a waiter's wait with `result`, in one transaction of its own.
void finish_waiter(Task& task, WaitList& list, u32 slot, i64 result, WakeList& wakes);
// Ends all waits in the list.
void finish_all(Task& task, WaitList& list, i64 result, WakeList& wakes);

// Moves what a dead task owned into the reaper's own field.
void adopt(Task& task, u64& theirs, u64& ours);

// A handler that came past the trampoline calls us out of a blocked call, whose node we need. 0, or
// -EINTR if that call has already been done and waits to return: there is no node to be had.
int leave_interrupted_wait(Task& task);
inline int leave_outer_wait(Task& task) {
  return task.wait_frame == nullptr ? 0 : leave_interrupted_wait(task);
}

}  // namespace ipcell
