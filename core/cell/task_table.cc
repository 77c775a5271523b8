#include "core/cell/task_table.h"

#include <cerrno>

#include "core/base/sys.h"
#include "core/cell/heap.h"

namespace ipcell {

namespace {

// A slot in the making names the thread that makes it: it has no token yet.
u64 claiming_state(const TaskIdentity& identity) {
  return kTaskClaiming | (identity.pid_namespace & 0x3fffffff) << 32 |
         static_cast<u32>(identity.tid);
}

// True if the thread that was setting the slot up died in it. Only threads of our own pid namespace
// can be asked for; others' slots stay taken.
bool is_claimer_gone(u64 state, const TaskIdentity& identity) {
  if ((state & ~0xffffffffull) != (claiming_state(identity) & ~0xffffffffull)) return false;
  const long tid = static_cast<long>(state & 0xffffffff);
  // kill(2) finds threads by their tid as well.
  return tid != identity.tid && sys::call(SYS_kill, tid, 0) == -ESRCH;
}

bool try_claim(Task& task, u32 index) {
  u64& state = task.cell->layout().task_states[index];
  u64 expected = load_acquire(state);
  if (expected != 0 &&
      !((expected & kTaskClaiming) != 0 && is_claimer_gone(expected, task.identity))) {
    return false;
  }
  return compare_exchange(state, expected, claiming_state(task.identity));
}

void raise_high_mark(Cell& cell, u32 index) {
  u32& high = cell.header().slots_high;
  u32 seen = load_relaxed(high);
  while (seen <= index && !compare_exchange(high, seen, index + 1)) {
  }
}

// Sets the claimed slot up: everything but the token is written before the slot is live.
int set_up(Task& task, u32 index) {
  Cell& cell = *task.cell;
  TaskRec& rec = cell.layout().tasks[index].rec;
  // Only a clean slot is free: reap() has emptied caches and journal.
  rec.pid = task.identity.pid;
  rec.tid = task.identity.tid;
  rec.start_time = task.identity.start_time;
  rec.pid_namespace = task.identity.pid_namespace;
  rec.image = task.identity.image;
  rec.is_execing = 0;
  rec.has_joined = 0;
  if (const int error = take_token(rec.token)) return error;
  task.rec = &rec;
  task.slot = index + 1;
  task.lock_depth = 0;
  __builtin_memset(task.cache_count, 0, sizeof task.cache_count);
  store_release(cell.layout().task_states[index], kTaskLive);
  return 0;
}

// Looks for a free slot in [first, end) and sets it up. -ENOENT if there is none.
int claim_in(Task& task, u32 first, u32 end) {
  Cell& cell = *task.cell;
  for (u32 index = first; index < end; ++index) {
    if (cell.ensure(&cell.layout().task_states[index], sizeof(u64)) != 0) return -ENOMEM;
    if (load_relaxed(cell.layout().task_states[index]) == kTaskLive) continue;
    if (cell.ensure(&cell.layout().tasks[index], sizeof(TaskPage)) != 0) return -ENOMEM;
    if (!try_claim(task, index)) continue;
    // Those between are not looked at, and need have no memory.
    if (index < kTaskSlots - kReservedSlots) raise_high_mark(cell, index);
    const int error = set_up(task, index);
    if (error != 0) store_release(cell.layout().task_states[index], 0);
    return error;
  }
  return -ENOENT;
}

// A claimer looks at a few slots of the table, each time at others, and reaps those that are dead:
// so the table stays short however many tasks come and go.
void reap_some(Task& task, ReapObjects reap_objects) {
  constexpr u32 kLooks = 16;
  Header& header = task.cell->header();
  u32 high = load_relaxed(header.slots_high);
  if (high > kTaskSlots) high = kTaskSlots;
  const u32 start = __atomic_fetch_add(&header.claim_cursor, kLooks, __ATOMIC_RELAXED);
  for (u32 n = 0; n < kLooks && n < high; ++n) {
    const u32 slot = (start + n) % high + 1;
    TaskRec& rec = *task.cell->task(slot);
    const bool is_live = load_acquire(task.cell->layout().task_states[slot - 1]) == kTaskLive;
    // An exec(2) by another thread than the main one leaves its token unmarked.
    if (is_live && slot != task.slot) look_for_task(task, rec);
    if (is_dead(*task.cell, slot)) reap_task(task, slot, reap_objects);
  }
}

// With the reap lock held.
void reap_locked(Task& task, u32 dead_slot, ReapObjects reap_objects) {
  Cell& cell = *task.cell;
  if (!is_dead(cell, dead_slot) || cell.is_poisoned()) return;
  recover_locks(task, dead_slot);
  TaskRec& dead = *cell.task(dead_slot);
  reap_objects(task, dead, dead_slot);
  drain_caches(task, dead);
  if (cell.is_poisoned()) return;
  if (task.dead_seen == dead_slot) task.dead_seen = kNoSlot;
  const RecoveryLocked recovery(task);
  store_release(cell.layout().task_states[dead_slot - 1], 0);
}

}  // namespace

int claim_task(Task& task, ReapObjects reap_objects) {
  const u32 common = kTaskSlots - kReservedSlots;
  int error = claim_in(task, 0, common);
  if (error == 0) {
    reap_some(task, reap_objects);
    return 0;
  }
  if (error != -ENOENT && error != -ENOMEM) return error;
  // All are taken, by the living or by the dead, or there is no room for more: come in by a
  // reserved slot and reap the dead.
  if (claim_in(task, common, kTaskSlots) != 0) return -ENOMEM;
  reap_all(task, reap_objects);
  const u32 by_slot = task.slot;
  release_task(task);
  error = claim_in(task, 0, common);
  if (error == 0) reap_task(task, by_slot, reap_objects);
  return error == -ENOENT ? -ENOMEM : error;
}

void release_task(Task& task) {
  drain_caches(task, *task.rec);
  // From here on the slot is that of a dead task that left nothing: whoever comes by reaps it.
  drop_token(task.rec->token);
  task.rec = nullptr;
  task.slot = kNoSlot;
}

void reap_task(Task& task, u32 dead_slot, ReapObjects reap_objects) {
  if (dead_slot == task.slot || !is_dead(*task.cell, dead_slot)) return;
  const Critical critical(task);
  LockWord& reap_lock = task.cell->header().reap_lock;
  // A reaper may be slow: it waits for the locks of objects. Nobody waits for it without need.
  if (!try_lock(task, reap_lock)) return;
  reap_locked(task, dead_slot, reap_objects);
  unlock(task, reap_lock);
}

void reap_all(Task& task, ReapObjects reap_objects) {
  const auto reap_range = [&](u32 first, u32 last) {
    for (u32 slot = first; slot <= last; ++slot) {
      if (slot == task.slot || !is_dead(*task.cell, slot)) continue;
      const Critical critical(task);
      Locked locked(task, task.cell->header().reap_lock);
      reap_locked(task, slot, reap_objects);
    }
  };
  const u32 common = kTaskSlots - kReservedSlots;
  const u32 high = load_acquire(task.cell->header().slots_high);
  reap_range(1, high < common ? high : common);
  reap_range(common + 1, kTaskSlots);
}

}  // namespace ipcell
