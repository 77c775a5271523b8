// The task table: how a thread gets a slot in a cell, and how the slots of the dead are reaped.
//
// A slot is never given back by its thread: a clean exit and a SIGKILL are the same to the cell,
// and the next one that claims a slot, or meets the dead one on its way, reaps it.
#pragma once

#include "core/cell/liveness.h"
#include "core/cell/lock.h"
#include "core/cell/process.h"

namespace ipcell {

// What the layer above does for a dead task, between the recovery of its locks and the release of
// its slot. Called with the reap lock held and no other. Must be right when repeated.
using ReapObjects = void (*)(Task& reaper, TaskRec& dead, u32 dead_slot);

// Claims a slot for the calling thread and fills `task` in (identity and cell are set by the
// caller). 0, -ENOMEM (no slot or no room), -EIO. Reaps dead tasks on its way.
int claim_task(Task& task, ReapObjects reap_objects);

// Gives the slot back at once; for tools whose thread lives on. The task must be between
// operations.
void release_task(Task& task);

// Reaps one dead task; not if another task is reaping just now. The caller holds no lock.
void reap_task(Task& task, u32 dead_slot, ReapObjects reap_objects);
// Reaps all dead tasks, after whoever is reaping.
void reap_all(Task& task, ReapObjects reap_objects);

// Reaps what the operation met (task.dead_seen). Called at an operation's end.
inline void reap_seen(Task& task, ReapObjects reap_objects) {
  if (task.dead_seen != kNoSlot) [[unlikely]] {
    const u32 slot = task.dead_seen;
    task.dead_seen = kNoSlot;
    reap_task(task, slot, reap_objects);
  }
}

}  // namespace ipcell
