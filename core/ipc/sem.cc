#include "core/ipc/sem.h"

#include <sys/sem.h>
#include <time.h>

#include <cerrno>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/reap.h"
#include "core/ipc/undo.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// --------------------------------------------------------------------------- semget

// A fresh record: nobody finds it before it has an id, but a stale id may lead a task to its lock.
void init_set(Task& task, SemSetRec& set, Key key, u32 nsems, u32 mode) {
  set.live = 0;
  set.perm = fresh_perm(*task.cred, key, mode);
  set.otime = 0;
  set.ctime = now(task);
  set.sems = task.rec->array;
  set.nsems = nsems;
  set.waiters = 0;
  set.alter = set.zero = {kNoSlot, kNoSlot};
  set.complex_count = set.merged = set.unsettled = 0;
  set.holds = {0, 0};
  set.burying = 0;
}

// The array is in task.rec->array. The registry is locked.
int add_set_locked(Task& task, Registry& registry, Key key, u32 nsems, int flags) {
  ReservedBlock block;
  if (const int error = block.reserve(task, BlockClass::SemSet)) return error;
  SemSetRec& set = *block.as<SemSetRec>();
  // Locked until the commit: who finds the record before it waits here, and learns what came of it.
  Locked locked(task, set.lock);
  init_set(task, set, key, nsems, static_cast<u32>(flags));
  Journal journal(task);
  const i32 limit = static_cast<i32>(limit_of(task, task.cell->header().limits.semmni));
  const int id = add_id_locked(journal, *task.cell, registry, block.offset(), set.perm, limit);
  if (id < 0) return id;
  journal.set(registry.total, registry.total + static_cast<i64>(nsems));
  journal.set(set.live, 1u);
  journal.set(task.rec->array, 0);
  block.take(journal, task);
  journal.commit();
  return id;
}

// Linux: ipc/sem.c:newary(). The registry is locked.
int new_set_locked(Task& task, Registry& registry, Key key, int nsems, int flags) {
  if (nsems == 0) return -EINVAL;
  const i32 semmns = static_cast<i32>(load_relaxed(task.cell->header().limits.semmns));
  if (static_cast<i64>(static_cast<u64>(registry.total) + static_cast<u64>(nsems)) > semmns)
    return -ENOSPC;
  const u64 size = static_cast<u64>(nsems) * sizeof(Semaphore);
  if (const int error = build_array(task, size)) return error;
  const int id = add_set_locked(task, registry, key, static_cast<u32>(nsems), flags);
  if (id < 0) free_array(task, task.rec->array);
  return id;
}

// Linux: ipc/util.c:ipcget_public(): ipc/sem.c:sem_more_checks() comes before ipc_check_perms().
int existing_set_locked(Task& task, u64 offset, int nsems, int flags) {
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (static_cast<u32>(nsems) > set->nsems) return -EINVAL;
  if (!is_permitted(*task.cred, set->perm, static_cast<u32>(flags))) return -EACCES;
  if (set->perm.id < 0) return task.cell->poison("a set's id is negative");
  return set->perm.id;
}

// --------------------------------------------------------------------------- semop

// What a call asks for. Linux: ipc/sem.c:__do_semtimedop()
struct SemopArgs {
  i32 id;
  SemCall call;
  u16 max_num = 0;
  bool alters = false;
  bool undoes = false;
};

void look_at_ops(SemopArgs& args) {
  for (u32 n = 0; n < args.call.count; ++n) {
    const SemOp& op = args.call.ops[n];
    if (op.num > args.max_num) args.max_num = op.num;
    if (op.op != 0) args.alters = true;
    if ((op.flags & SEM_UNDO) != 0) args.undoes = true;
  }
}

// The process has no record yet for what it would undo.
constexpr i64 kNeedsUndo = 3;

// The task is going to sleep, and so leaves its CPU to another. If its own turn came by waiting,
// and was short, then so may be that of the one who has it now: the next in line may come and spin.
void call_next(const Task& task, SemSetRec& set, const SemOp& op, WakeList& wakes) {
  constexpr i64 kShortTurnNs = 5000;
  if (op.op >= 0 || task.turn_began_ns == 0) return;
  const Semaphore* sem = semaphore_at(*task.cell, set, op.num);
  const u32 next = set.merged != 0 || sem == nullptr ? set.alter.first : sem->alter.first;
  const TaskRec* rec = task.cell->task(next);
  if (rec == nullptr || next == task.slot || rec->wait.sem.spins == 0) return;
  if (monotonic_nanoseconds() - task.turn_began_ns < kShortTurnNs) wakes.call(next);
}

i64 make_operations(Task& task, LockedSet& set, const SemopArgs& args) {
  u32 blocking = 0;
  Journal journal(task);
  const int error = perform(task, journal, *set, args.call, &blocking);
  if (error == kWouldBlock) {
    const i64 result = enqueue_semop(task, *set, args.call, blocking);
    if (result == kWaitPending) call_next(task, *set, args.call.ops[blocking], set.wakes());
    return result;
  }
  if (error != 0) return error;
  journal.set_if_changed(set->otime, now(task));
  if (!args.alters || set->waiters == 0) [[likely]] {
    journal.commit();
    return 0;
  }
  journal.set(set->unsettled, 1u);
  journal.commit();
  complete_sleepers(task, *set, args.call.ops, args.call.count, set.wakes());
  end_change(task, *set);
  return 0;
}

// A process that ends takes a moment from its first thread's death to its last's: until then the
// sleeper looks often. 0 if nobody is dying.
i64 next_look(WaitPlan& plan, bool is_somebody_dying) {
  if (!is_somebody_dying) return plan.dying_ns = 0;
  plan.dying_ns = plan.dying_ns == 0 ? kFirstLookNs : plan.dying_ns * 2;
  return plan.dying_ns = plan.dying_ns < kRecheckNs ? plan.dying_ns : kRecheckNs;
}

// Whose death can't be waited for is looked at.
void plan_next_look(const Task& task, const LockedSet& set, WaitPlan& plan) {
  const bool are_all_watched = watch_holders(task, *set, plan);
  const i64 soon = next_look(plan, set.is_somebody_dying());
  if (soon != 0) {
    plan.recheck_ns = soon;
  } else if (!are_all_watched) {
    plan.recheck_ns = kCrowdedNs;
  } else if (plan.recheck_ns < kRecheckNs) {
    plan.recheck_ns = kRecheckNs;
  }
}

// One try: 0 or -errno if it is over, kWaitPending if the task is now queued, kNeedsUndo.
i64 try_semop(Task& task, SemopArgs& args, WaitPlan* plan) {
  const u64 offset = find_record(task, sem_registry(*task.cell), args.id);
  if (offset == 0) return -EINVAL;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(args.id)) return -EINVAL;
  if (args.undoes) {
    args.call.undo = find_undo(task, *set);
    if (args.call.undo == nullptr) return task.cell->is_poisoned() ? -EIO : kNeedsUndo;
  }
  if (args.max_num >= set->nsems) return -EFBIG;
  if (!is_permitted(*task.cred, set->perm, args.alters ? kWriteForAll : kReadForAll))
    return -EACCES;
  const i64 result = make_operations(task, set, args);
  if (result == kWaitPending) plan_next_look(task, set, *plan);
  return result;
}

void leave_with(WaitNode& node, i64 result) {
  node.result = result;
  store_release(node.word, kWaitDone);
}

void recheck_semop(Task& task, WaitPlan& plan) {
  WaitNode& node = task.rec->wait;
  bool is_removed = false;
  {
    LockedSet set(task, node.object);
    if (!set || task.cell->is_poisoned()) {
      leave_with(node, -EIO);
    } else if (node.linked == 0) {
      store_release(node.word, kWaitDone);
    } else {
      is_removed = set->live == 0;
      plan_next_look(task, set, plan);
    }
  }
  // Its remover died before it had told all sleepers.
  if (is_removed && cancel_sem_wait(task, -EIDRM)) leave_with(node, -EIDRM);
  constexpr u32 kPatientRechecks = 4;
  if (plan.rechecks % kPatientRechecks == 0) {
    for (u32 n = 0; n < plan.watched; ++n) look_for_task(task, *task.cell->task(plan.watch[n]));
  }
  // Its slot's reaper names another of its process's tasks, whose death can be waited for.
  reap_met(task);
}

bool expire_semop(Task& task) { return cancel_sem_wait(task, -EAGAIN); }

i64 sleep_in_semop(Task& task, WaitPlan& plan) {
  plan.recheck = recheck_semop;
  plan.expire = expire_semop;
  switch (sleep_until_done(task, plan)) {
    case WaitEnd::Interrupted: return -EINTR;
    case WaitEnd::Expired: return -EAGAIN;
    case WaitEnd::Done: break;
  }
  task.turn_began_ns = monotonic_nanoseconds();
  if (task.rec->wait.sem.ops != 0) free_block(task, task.rec->wait.sem.ops);
  return task.rec->wait.result;
}

long run_semop(Task& task, SemopArgs& args, i64 deadline_ns) {
  if (const int error = reserve_journal(task, 2 * args.call.count + kCallStores)) return error;
  bool has_slept = false;
  for (;;) {
    WaitPlan plan;
    plan.deadline_ns = deadline_ns;
    i64 result = try_semop(task, args, &plan);
    if (result == kNeedsUndo) {
      result = make_undo(task, args.id);
      if (result == 0) continue;
    }
    if (result == kWaitPending) {
      result = sleep_in_semop(task, plan);
      has_slept = true;
      if (result == kWaitRetry) continue;
    }
    // The set was there when the task went to sleep.
    return static_cast<long>(has_slept && result == -EINVAL ? -EIDRM : result);
  }
}

// Brings the program's operations, which were copied to where `ops` begins, into the cell's own
// form, which is larger: from the last to the first.
void widen_ops(SemOp* ops, u32 count) {
  const auto* given = reinterpret_cast<const struct sembuf*>(ops);
  for (u32 n = count; n-- > 0;) {
    struct sembuf op;
    __builtin_memcpy(&op, given + n, sizeof op);
    ops[n] = {op.sem_num, op.sem_op, static_cast<u16>(op.sem_flg), 0};
  }
}
static_assert(sizeof(struct sembuf) <= sizeof(SemOp));

// 0 or -errno. Linux: include/linux/time64.h:timespec64_valid()
int deadline_of(const KernelTimespec& timeout, i64* deadline_ns) {
  constexpr i64 kSecond = 1'000'000'000;
  constexpr i64 kForever = 0x7fffffffffffffff;
  if (timeout.seconds < 0 || timeout.nanoseconds < 0 || timeout.nanoseconds >= kSecond)
    return -EINVAL;
  const i64 start = monotonic_nanoseconds();
  *deadline_ns = timeout.seconds >= (kForever - start) / kSecond - 1
                     ? kForever
                     : start + timeout.seconds * kSecond + timeout.nanoseconds;
  return 0;
}

}  // namespace

// Linux: ipc/sem.c:ksys_semget()
long sys_semget(Task& task, int key, int nsems, int flags) {
  if (may_fail(task, FaultOp::Semget)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Semget,
                         .key = static_cast<u32>(key),
                         .number = nsems,
                         .flags = static_cast<u32>(flags)},
                        [&] { return sys_semget(task, key, nsems, flags); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (nsems < 0 || nsems > static_cast<i32>(limit_of(task, task.cell->header().limits.semmsl)))
    return -EINVAL;
  Registry& registry = sem_registry(*task.cell);
  const int result = get_object(
      task, registry, static_cast<Key>(key), flags,
      [&] { return new_set_locked(task, registry, static_cast<Key>(key), nsems, flags); },
      [&](u64 offset) { return existing_set_locked(task, offset, nsems, flags); });
  reap_met(task);
  return result;
}

// Linux: ipc/sem.c:semtimedop(), do_semtimedop(), __do_semtimedop(), in the order of their checks.
long sys_semtimedop(Task& task, int id, const struct sembuf* ops, std::size_t count,
                    UserTime timeout) {
  if (may_fail(task, FaultOp::Semop, FaultOp::Semtimedop)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = timeout ? FaultOp::Semtimedop : FaultOp::Semop,
                         .id = id,
                         .number = static_cast<i64>(count),
                         .ops = ops,
                         .timeout = &timeout},
                        [&] { return sys_semtimedop(task, id, ops, count, timeout); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  // No cancellation point, though a handler may have come out of one.
  task.sleep = nullptr;
  KernelTimespec time = {};
  if (timeout && timeout.read(&time) != 0) return -EFAULT;
  const u32 nsops = static_cast<u32>(count);
  if (nsops > load_relaxed(task.cell->header().limits.semopm)) return -E2BIG;
  if (nsops < 1) return -EINVAL;
  if (nsops > kSemOpsMax) return -ENOMEM;
  // On the stack, since a handler may jump out of the wait: 8 KiB at most.
  auto* copy = static_cast<SemOp*>(__builtin_alloca(nsops * sizeof(SemOp)));
  if (copy_from_user(copy, ops, nsops * sizeof(struct sembuf)) != 0) return -EFAULT;
  if (id < 0) return -EINVAL;
  i64 deadline_ns = 0;
  if (timeout) {
    if (const int error = deadline_of(time, &deadline_ns)) return error;
  }
  widen_ops(copy, nsops);
  SemopArgs args = {id, {copy, nsops, task.identity.pid, nullptr}};
  look_at_ops(args);
  const long result = run_semop(task, args, deadline_ns);
  // Taken back by a handler, which may have forked: nothing here is ours any more.
  if (result != -EINTR) reap_met(task);
  return result;
}

}  // namespace ipcell
