// What a dead task leaves in the objects of all families.
#pragma once

#include "core/cell/task_table.h"

namespace ipcell {

// See task_table.h:ReapObjects.
void reap_objects(Task& reaper, TaskRec& dead, u32 dead_slot);

// At an operation's end: reaps what it met on its way.
void reap_met_slowly(Task& task);
inline void reap_met(Task& task) {
  if (task.dead_seen != kNoSlot || task.buried_pid != 0) [[unlikely]]
    reap_met_slowly(task);
}

}  // namespace ipcell
