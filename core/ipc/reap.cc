#include "core/ipc/reap.h"

#include "core/ipc/mqueue.h"
#include "core/ipc/msg.h"
#include "core/ipc/shm.h"
#include "core/ipc/undo.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// Whoever finishes a wait holds the object's lock until it has published: past that lock nobody
// writes into the node. The object is written by its task alone, and a stale one costs one lock.
void reap_wait(Task& reaper, TaskRec& dead, u32 dead_slot) {
  switch (class_of_block(*reaper.cell, dead.wait.object)) {
    case BlockClass::MsgQueue: reap_msg_wait(reaper, dead, dead_slot); break;
    case BlockClass::SemSet: reap_sem_wait(reaper, dead, dead_slot); break;
    case BlockClass::Mqueue: reap_mqueue_wait(reaper, dead, dead_slot); break;
    default:
      if (dead.wait.object != 0) reaper.cell->poison("a task waits for what is no object");
  }
}

// Takes back what the task is blocked in; false if it has happened.
bool cancel_wait(Task& task) {
  switch (class_of_block(*task.cell, task.rec->wait.object)) {
    case BlockClass::SemSet: return cancel_sem_wait(task, -EINTR);
    case BlockClass::Mqueue: return cancel_mqueue_wait(task);
    default: return cancel_msg_wait(task);
  }
}

void finish_removal(Task& reaper, TaskRec& dead) {
  if (dead.destroying == 0) return;
  adopt(reaper, dead.destroying, reaper.rec->destroying);
  switch (class_of_block(*reaper.cell, reaper.rec->destroying)) {
    case BlockClass::SemSet: tear_down_set(reaper); break;
    case BlockClass::Segment: tear_down_segment(reaper); break;
    case BlockClass::Mqueue: tear_down_mqueue(reaper); break;
    default: tear_down_queue(reaper);
  }
}

void remove_what_is_doomed(Task& reaper, TaskRec& dead) {
  if (dead.doomed == 0) return;
  adopt(reaper, dead.doomed, reaper.rec->doomed);
  remove_doomed(reaper);
}

void free_loose_blocks(Task& reaper, TaskRec& dead) {
  for (u64* owner : {&dead.wait.sem.ops, &dead.loose}) {
    if (*owner != 0) free_block(reaper, *owner);
  }
  free_array(reaper, dead.array);
  for (u64& owner : dead.journal_blocks) {
    if (owner != 0) free_block(reaper, owner);
  }
}

}  // namespace

void reap_objects(Task& reaper, TaskRec& dead, u32 dead_slot) {
  if (dead.wait.object != 0) reap_wait(reaper, dead, dead_slot);
  if (reaper.cell->is_poisoned()) return;
  reap_mqueues(reaper, dead);
  reap_messages(reaper, dead);
  free_loose_blocks(reaper, dead);
  finish_removal(reaper, dead);
  remove_what_is_doomed(reaper, dead);
  reap_unborn(reaper, dead, dead_slot);
  reap_holds(reaper, dead, dead_slot);
  free_unborn(reaper);
}

IPCELL_COLD void reap_met_slowly(Task& task) {
  reap_seen(task, reap_objects);
  if (task.buried_pid != 0) reap_buried(task);
}

int attach_task(Task& task) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (const int error = claim_task(task, reap_objects)) return error;
  join_process(task);
  if (AddressMap* map = task.addresses) {
    const bool is_child = map->owner_pid != task.identity.pid;
    map->owner_pid = task.identity.pid;
    if (is_child && !map->is_empty()) inherit_attachments(task);
  }
  // From here on it is no stranger: nothing that was made for it is still to be taken over.
  store_release(task.rec->has_joined, 1u);
  return 0;
}

void sys_sweep(Task& task) {
  const Critical critical(task);
  if (task.cell->is_poisoned()) return;
  reap_dead_tasks(task);
  sweep_segments(task);
  sys_mq_sweep(task);
  reap_met(task);
}

void reap_dead_tasks(Task& task) { reap_all(task, reap_objects); }

bool interrupt_wait(Task& task) {
  WaitFrame* frame = task.wait_frame;
  if (frame == nullptr) return false;
  const Critical critical(task);
  if (!cancel_wait(task)) return false;
  frame->interrupted = true;
  task.wait_frame = nullptr;
  return true;
}

}  // namespace ipcell
