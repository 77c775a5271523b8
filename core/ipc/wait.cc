#include "core/ipc/wait.h"

#include <cerrno>

#include "core/base/clock.h"
#include "core/syscalls.h"

namespace ipcell {

i64 now(const Task& task) { return task.clock != nullptr ? task.clock() : wall_clock_seconds(); }

TaskRec* waiter_at(const Cell& cell, u32 slot, u32 steps) {
  TaskRec* rec = cell.task(slot);
  if (rec == nullptr || steps >= kTaskSlots) {
    cell.poison(kBrokenWaiters);
    return nullptr;
  }
  return rec;
}

void give_up(Task& task, const char* reason) {
  roll_back_journal(*task.cell, *task.rec);
  task.cell->poison(reason);
}

void finish_waiter(Task& task, WaitList& list, u32 slot, i64 result, WakeList& wakes) {
  Journal journal(task);
  if (!unlink_waiter(journal, *task.cell, list, slot)) {
    give_up(task, kBrokenWaiters);
    return;
  }
  journal.set(task.cell->task(slot)->wait.result, result);
  journal.commit();
  wakes.publish(slot);
}

void finish_all(Task& task, WaitList& list, i64 result, WakeList& wakes) {
  for (u32 steps = 0; list.first != kNoSlot; ++steps) {
    if (waiter_at(*task.cell, list.first, steps) == nullptr) return;
    finish_waiter(task, list, list.first, result, wakes);
    if (task.cell->is_poisoned()) return;
  }
}

void adopt(Task& task, u64& theirs, u64& ours) {
  Journal journal(task);
  journal.set(ours, static_cast<u64>(theirs));
  journal.set(theirs, 0);
  journal.commit();
}

IPCELL_COLD int leave_interrupted_wait(Task& task) { return interrupt_wait(task) ? 0 : -EINTR; }

}  // namespace ipcell
