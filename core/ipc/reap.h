// What a dead task leaves in the objects of all families.
#pragma once

#include "core/cell/task_table.h"

namespace ipcell {

// See task_table.h:ReapObjects.
void reap_objects(Task& reaper, TaskRec& dead, u32 dead_slot);

}  // namespace ipcell
