#include <sys/sem.h>

#include <cerrno>

#include "core/ipc/limits.h"
#include "core/ipc/undo.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

constexpr char kBrokenArray[] = "a set's array of semaphores is broken";

// --------------------------------------------------------------------------- making operations

// Adjusts what the process would undo. 0, -ERANGE, -EIO. `nonzero` follows.
int adjust(Journal& journal, const Cell& cell, UndoRec& undo, const Semaphore& sem, const SemOp& op,
           u32* nonzero) {
  u64* word = adjustment_at(cell, undo, op.num);
  if (word == nullptr) return cell.poison("a process's adjustments are broken");
  const i32 value = adjustment_of(*word, sem) - op.op;
  if (value < kAdjustmentMin || value > kAdjustmentMax) return -ERANGE;
  if ((*word & 0xffff) != 0) --*nonzero;
  if (value != 0) ++*nonzero;
  journal.set_if_changed(*word, pack_adjustment(sem.epoch, value));
  return 0;
}

int perform_one(Journal& journal, const Cell& cell, SemSetRec& set, const SemOp& op,
                const SemCall& call, u32* nonzero) {
  Semaphore* sem = op.num < set.nsems ? semaphore_at(cell, set, op.num) : nullptr;
  if (sem == nullptr) return cell.poison(kBrokenArray);
  const i32 before = sem->get().value;
  const i32 value = before + op.op;
  if ((op.op == 0 && before != 0) || value < 0)
    return (op.flags & IPC_NOWAIT) != 0 ? -EAGAIN : kWouldBlock;
  if (value > SEMVMX) return -ERANGE;
  if ((op.flags & SEM_UNDO) != 0 && call.undo != nullptr) {
    if (const int error = adjust(journal, cell, *call.undo, *sem, op, nonzero)) return error;
  }
  journal.set_if_changed(sem->state, pack_state(static_cast<u32>(value), call.pid));
  return 0;
}

// What a sleeper wants. False if the cell is damaged.
bool call_of(const Cell& cell, const TaskRec& rec, SemCall* call) {
  const SemWait& wait = rec.wait.sem;
  call->count = wait.count;
  call->pid = rec.pid;
  call->undo = wait.undo != 0 ? cell.at<UndoRec>(wait.undo) : nullptr;
  call->ops = &wait.op;
  if (wait.count > 1) {
    const auto* block = cell.at<FreeBlock>(wait.ops);
    call->ops = block != nullptr ? reinterpret_cast<const SemOp*>(block + 1) : nullptr;
  }
  if (call->ops != nullptr && call->count != 0 && call->count <= kSemOpsMax) return true;
  cell.poison("a sleeper's operations are broken");
  return false;
}

// --------------------------------------------------------------------------- the pass

// Looks whether the sleeper can go on now, and if so takes it out of its list with its result,
// which the caller publishes. kWouldBlock; 0 if its operations were made, which `call` tells;
// -errno if it is told an error.
int complete(Task& task, SemSetRec& set, u32 slot, SemCall* call) {
  const Cell& cell = *task.cell;
  TaskRec& rec = *cell.task(slot);
  if (is_token_dead(rec.token)) {
    task.dead_seen = slot;
    return kWouldBlock;
  }
  // Of a process that was found gone just now, before all of its tokens were marked.
  if (!call_of(cell, rec, call) || (call->undo != nullptr && call->undo->hold.is_spent != 0))
    return kWouldBlock;
  u32 blocking = rec.wait.sem.blocking;
  // Without memory here the sleeper tries itself.
  const bool has_room = reserve_journal(task, 2 * call->count + kCallStores) == 0;
  Journal journal(task);
  const int error = has_room ? perform(task, journal, set, *call, &blocking) : -ENOMEM;
  if (error == kWouldBlock) {
    journal.set_if_changed(rec.wait.sem.blocking, blocking);
    journal.commit();
    return kWouldBlock;
  }
  if (!unlink_semop(task, journal, set, slot)) {
    give_up(task, kBrokenWaiters);
    return kWouldBlock;
  }
  journal.set(rec.wait.result, error == -ENOMEM ? kWaitRetry : error);
  if (error == 0) journal.set_if_changed(set.otime, now(task));
  journal.commit();
  return error;
}

// Linux: ipc/sem.c:wake_const_ops()
void complete_zero_waiters(Task& task, SemSetRec& set, WaitList& list, WakeList& wakes) {
  u32 steps = 0;
  for (u32 slot = list.first; slot != kNoSlot && !task.cell->is_poisoned(); ++steps) {
    TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) return;
    const u32 next = rec->wait.next;
    SemCall call;
    if (complete(task, set, slot, &call) != kWouldBlock) wakes.publish(slot);
    slot = next;
  }
}

// Linux: ipc/sem.c:do_smart_wakeup_zero()
void complete_zeros(Task& task, SemSetRec& set, const SemOp* ops, u32 count, WakeList& wakes) {
  bool got_zero = false;
  const u32 nums = ops != nullptr ? count : set.nsems;
  for (u32 n = 0; n < nums; ++n) {
    Semaphore* sem = semaphore_at(*task.cell, set, ops != nullptr ? ops[n].num : n);
    if (sem == nullptr) {
      task.cell->poison(kBrokenArray);
      return;
    }
    if (sem->get().value != 0) continue;
    got_zero = true;
    complete_zero_waiters(task, set, sem->zero, wakes);
  }
  if (got_zero) complete_zero_waiters(task, set, set.zero, wakes);
}

// One round over a list of altering waiters; `sem` if it is that semaphore's own list. True if the
// list is to be looked at again from its start. Linux: ipc/sem.c:update_queue(), check_restart()
bool complete_round(Task& task, SemSetRec& set, WaitList& list, const Semaphore* sem,
                    WakeList& wakes) {
  u32 steps = 0;
  for (u32 slot = list.first; slot != kNoSlot && !task.cell->is_poisoned(); ++steps) {
    // Nothing can be taken from 0, and those that add never wait alone.
    if (sem != nullptr && sem->get().value == 0) return false;
    TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) return false;
    const u32 next = rec->wait.next;
    SemCall call;
    const int error = complete(task, set, slot, &call);
    // Until it is published the node, and the operations, stay what they are.
    if (error == 0) complete_zeros(task, set, call.ops, call.count, wakes);
    if (error != kWouldBlock) wakes.publish(slot);
    if (error == 0 && (set.alter.first != kNoSlot || call.count > 1)) return true;
    slot = next;
  }
  return false;
}

void complete_altering(Task& task, SemSetRec& set, WaitList& list, const Semaphore* sem,
                       WakeList& wakes) {
  // Each round but the last takes a waiter off, so that they end.
  while (complete_round(task, set, list, sem, wakes)) {
  }
}

// --------------------------------------------------------------------------- the lists

// Puts a semaphore's list before those in the set's. In a transaction of its own.
void splice_list(Task& task, SemSetRec& set, WaitList& list) {
  const Cell& cell = *task.cell;
  TaskRec* last = cell.task(list.last);
  if (last == nullptr || cell.task(list.first) == nullptr) {
    cell.poison(kBrokenWaiters);
    return;
  }
  Journal journal(task);
  if (TaskRec* first = cell.task(set.alter.first)) {
    journal.set(first->wait.prev, list.last);
  } else {
    journal.set(set.alter.last, list.last);
  }
  journal.set(last->wait.next, set.alter.first);
  journal.set(set.alter.first, list.first);
  journal.set(list.first, kNoSlot);
  journal.set(list.last, kNoSlot);
  journal.commit();
}

// Linux: ipc/sem.c:merge_queues(). If it is broken off, settle() takes it back.
void merge_queues(Task& task, SemSetRec& set) {
  if (set.waiters == 0) return;
  Journal journal(task);
  journal.set(set.unsettled, 1u);
  journal.commit();
  for (u32 num = 0; num < set.nsems && !task.cell->is_poisoned(); ++num) {
    Semaphore* sem = semaphore_at(*task.cell, set, num);
    if (sem == nullptr) return;
    if (sem->alter.first != kNoSlot) splice_list(task, set, sem->alter);
  }
}

bool move_back(Task& task, SemSetRec& set, u32 slot) {
  const WaitNode& node = task.cell->task(slot)->wait;
  Semaphore* sem =
      node.sem.op.num < set.nsems ? semaphore_at(*task.cell, set, node.sem.op.num) : nullptr;
  if (sem == nullptr) return false;
  Journal journal(task);
  if (!unlink_waiter(journal, *task.cell, set.alter, slot)) return false;
  link_waiter(journal, *task.cell, sem->alter, slot);
  journal.commit();
  return true;
}

// Moves the altering waiters of single semaphores back to those, if nobody waits for several.
// Linux: ipc/sem.c:unmerge_queues()
void unmerge_queues(Task& task, SemSetRec& set) {
  if (set.complex_count != 0) return;
  for (u32 steps = 0; set.alter.first != kNoSlot; ++steps) {
    if (waiter_at(*task.cell, set.alter.first, steps) == nullptr) return;
    if (!move_back(task, set, set.alter.first)) {
      give_up(task, kBrokenWaiters);
      return;
    }
  }
  Journal journal(task);
  journal.set_if_changed(set.merged, 0u);
  journal.commit();
}

// Ends the wait of the linked node of `slot`, as part of the transaction that the caller has begun,
// which is committed.
bool remove_sleeper(Task& task, Journal& journal, SemSetRec& set, u32 slot) {
  if (!unlink_semop(task, journal, set, slot)) {
    give_up(task, kBrokenWaiters);
    return false;
  }
  // A removed set's lists are being emptied one by one, as they stand.
  const bool must_unmerge = set.live != 0 && set.complex_count == 0 && set.merged != 0;
  if (must_unmerge) journal.set(set.unsettled, 1u);
  journal.commit();
  if (must_unmerge) end_change(task, set);
  return true;
}

void free_ops(Task& task, WaitNode& node) {
  if (node.sem.ops != 0) free_block(task, node.sem.ops);
}

}  // namespace

int perform(Task& task, Journal& journal, SemSetRec& set, const SemCall& call, u32* blocking) {
  u32 nonzero = call.undo != nullptr ? call.undo->hold.amount : 0;
  for (u32 n = 0; n < call.count; ++n) {
    const int error = perform_one(journal, *task.cell, set, call.ops[n], call, &nonzero);
    if (error == 0) [[likely]]
      continue;
    *blocking = n;
    roll_back_journal(*task.cell, *task.rec);
    return error;
  }
  if (call.undo != nullptr) set_amount(journal, *task.cell, set.holds, call.undo->hold, nonzero);
  return 0;
}

void complete_sleepers(Task& task, SemSetRec& set, const SemOp* ops, u32 count, WakeList& wakes) {
  if (set.waiters == 0) return;
  complete_zeros(task, set, ops, count, wakes);
  if (set.alter.first != kNoSlot) {
    complete_altering(task, set, set.alter, nullptr, wakes);
    return;
  }
  const u32 nums = ops != nullptr ? count : set.nsems;
  for (u32 n = 0; n < nums; ++n) {
    if (ops != nullptr && ops[n].op <= 0) continue;
    Semaphore* sem = semaphore_at(*task.cell, set, ops != nullptr ? ops[n].num : n);
    if (sem == nullptr || task.cell->is_poisoned()) return;
    if (sem->alter.first != kNoSlot) complete_altering(task, set, sem->alter, sem, wakes);
  }
}

WaitList* list_of(const Cell& cell, SemSetRec& set, const WaitNode& node) {
  const bool alters = node.sem.alters != 0;
  if (node.sem.count > 1) return alters ? &set.alter : &set.zero;
  if (alters && set.merged != 0) return &set.alter;
  Semaphore* sem = node.sem.op.num < set.nsems ? semaphore_at(cell, set, node.sem.op.num) : nullptr;
  if (sem == nullptr) return nullptr;
  return alters ? &sem->alter : &sem->zero;
}

bool unlink_semop(Task& task, Journal& journal, SemSetRec& set, u32 slot) {
  const WaitNode& node = task.cell->task(slot)->wait;
  WaitList* list = list_of(*task.cell, set, node);
  if (list == nullptr || set.waiters == 0) return false;
  if (!unlink_waiter(journal, *task.cell, *list, slot)) return false;
  journal.set(set.waiters, set.waiters - 1);
  if (node.sem.count > 1) journal.set(set.complex_count, set.complex_count - 1);
  return true;
}

void end_change(Task& task, SemSetRec& set) {
  unmerge_queues(task, set);
  if (task.cell->is_poisoned()) return;
  Journal journal(task);
  journal.set_if_changed(set.unsettled, 0u);
  journal.commit();
}

void settle(Task& task, SemSetRec& set, WakeList& wakes) {
  // A merge that was broken off, or an unmerge.
  unmerge_queues(task, set);
  complete_sleepers(task, set, nullptr, 0, wakes);
  end_change(task, set);
}

i64 enqueue_semop(Task& task, SemSetRec& set, const SemCall& call, u32 blocking) {
  WaitNode& node = task.rec->wait;
  const bool is_complex = call.count > 1;
  const u64 size = call.count * sizeof(SemOp);
  ReservedBlock block;
  if (is_complex) {
    if (const int error = block.reserve(task, class_for(sizeof(FreeBlock) + size))) return error;
    __builtin_memcpy(block.as<FreeBlock>() + 1, call.ops, static_cast<std::size_t>(size));
    if (set.complex_count == 0) merge_queues(task, set);
  }
  // Unlinked, the node is the task's own.
  node.kind = WaitKind::Semop;
  node.object = task.cell->offset_of(&set);
  node.result = kWaitPending;
  node.sem.undo = call.undo != nullptr ? task.cell->offset_of(call.undo) : 0;
  node.sem.op = call.ops[0];
  node.sem.count = call.count;
  node.sem.blocking = blocking;
  node.sem.alters = 0;
  node.sem.spins = would_spin_for_turn(task) ? 1 : 0;
  for (u32 n = 0; n < call.count; ++n) {
    if (call.ops[n].op != 0) node.sem.alters = 1;
  }
  begin_wait(task);
  Journal journal(task);
  if (is_complex) {
    block.take(journal, task);
    journal.set(node.sem.ops, block.offset());
    journal.set(set.complex_count, set.complex_count + 1);
    journal.set_if_changed(set.merged, 1u);
  }
  WaitList* list = list_of(*task.cell, set, node);
  if (list == nullptr || task.cell->is_poisoned()) {
    roll_back_journal(*task.cell, *task.rec);
    return task.cell->poison(kBrokenArray);
  }
  link_waiter(journal, *task.cell, *list, task.slot);
  journal.set(set.waiters, set.waiters + 1);
  journal.set_if_changed(set.unsettled, 0u);
  journal.commit();
  return kWaitPending;
}

bool cancel_sem_wait(Task& task, i64 result) {
  WaitNode& node = task.rec->wait;
  {
    // A handler's stack may be small, and the dead are of no concern to it.
    LockedSet set(task, node.object, Dead::Nobody);
    if (!set) node.result = -EIO;
    if (!set || node.linked == 0) {
      store_release(node.word, kWaitDone);
      return false;
    }
    // Its remover has not come to this sleeper yet.
    if (set->live == 0) result = -EIDRM;
    Journal journal(task);
    journal.set(node.result, result);
    if (!remove_sleeper(task, journal, *set, task.slot)) {
      node.result = -EIO;
      store_release(node.word, kWaitDone);
      return false;
    }
    store_release(node.word, kWaitIdle);
  }
  free_ops(task, node);
  return true;
}

void tear_down_set(Task& task) {
  u64& destroying = task.rec->destroying;
  {
    LockedSet set(task, destroying);
    if (!set) return;
    for_each_wait_list(*task.cell, *set, [&](WaitList& list) {
      finish_all(task, list, -EIDRM, set.wakes());
      return !task.cell->is_poisoned();
    });
    if (task.cell->is_poisoned()) return;
  }
  free_undos_of_set(task, destroying);
  {
    LockedSet set(task, destroying);
    if (!set || task.cell->is_poisoned()) return;
    Journal journal(task);
    journal.set(task.rec->array, static_cast<u64>(set->sems));
    journal.set(set->sems, 0);
    journal.set(set->nsems, 0u);
    journal.set(set->waiters, 0u);
    journal.set(set->complex_count, 0u);
    journal.set(set->merged, 0u);
    journal.commit();
  }
  free_array(task, task.rec->array);
  free_block(task, destroying);
}

void reap_sem_wait(Task& reaper, TaskRec& dead, u32 dead_slot) {
  LockedSet set(reaper, dead.wait.object);
  if (!set || dead.wait.linked == 0) return;
  Journal journal(reaper);
  remove_sleeper(reaper, journal, *set, dead_slot);
}

void LockedSet::clear_up(Dead which) {
  if (set_->live == 0 || task_.cell->is_poisoned()) return;
  is_somebody_dying_ = bury_dead(task_, *set_, which, wakes_);
}

}  // namespace ipcell
