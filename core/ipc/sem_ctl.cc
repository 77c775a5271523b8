#include <sys/sem.h>

#include <cerrno>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/reap.h"
#include "core/ipc/scratch.h"
#include "core/ipc/undo.h"
#include "core/syscalls.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

namespace ipcell {

namespace {

// Values that a GETALL or SETALL keeps on the stack.
constexpr std::size_t kFewValues = 256;
using Values = Scratch<u16, kFewValues>;

// --------------------------------------------------------------------------- one semaphore

// True if the sleeper waits for this semaphore, to see it 0 or to take from it, as found when its
// operations were last tried. Linux: ipc/sem.c:check_qop()
bool waits_for(const Cell& cell, const TaskRec& rec, u32 num, bool zero) {
  const SemWait& wait = rec.wait.sem;
  SemOp op = wait.op;
  if (wait.count > 1) {
    const auto* block = cell.at<FreeBlock>(wait.ops);
    if (block == nullptr || wait.blocking >= kSemOpsMax) return false;
    op = reinterpret_cast<const SemOp*>(block + 1)[wait.blocking];
  }
  return op.num == num && (zero ? op.op == 0 : op.op < 0);
}

// Dead sleepers are not counted: the kernel's leave the queue before anybody sees them dead.
u32 count_in(const Cell& cell, const WaitList& list, u32 num, bool zero) {
  u32 count = 0, steps = 0;
  for (u32 slot = list.first; slot != kNoSlot; ++steps) {
    const TaskRec* rec = waiter_at(cell, slot, steps);
    if (rec == nullptr) break;
    if (!is_token_dead(rec->token) && waits_for(cell, *rec, num, zero)) ++count;
    slot = rec->wait.next;
  }
  return count;
}

// Linux: ipc/sem.c:count_semcnt()
long count_waiters(const Cell& cell, const SemSetRec& set, const Semaphore& sem, u32 num,
                   bool zero) {
  u32 count = count_in(cell, zero ? sem.zero : sem.alter, num, zero);
  count += count_in(cell, set.alter, num, zero);
  if (zero) count += count_in(cell, set.zero, num, zero);
  return static_cast<long>(count);
}

// Linux: ipc/sem.c:semctl_main()
long get_one(Task& task, i32 id, int num, int command) {
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EINVAL;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(id)) return -EINVAL;
  if (!is_permitted(*task.cred, set->perm, kReadForAll)) return -EACCES;
  const u32 index = static_cast<u32>(num);
  if (index >= set->nsems) return -EINVAL;
  const Semaphore* sem = semaphore_at(*task.cell, *set, index);
  if (sem == nullptr) return task.cell->poison("a set's array of semaphores is broken");
  switch (command) {
    case GETVAL: return sem->get().value;
    case GETPID: return sem->get().pid;
    default: return count_waiters(*task.cell, *set, *sem, index, command == GETZCNT);
  }
}

// After semaphores were set: whoever waited for what they are now goes on.
void settle_changed(Task& task, LockedSet& set, Journal& journal) {
  journal.set(set->ctime, now(task));
  journal.set(set->unsettled, 1u);
  journal.commit();
  settle(task, *set, set.wakes());
}

// Linux: ipc/sem.c:semctl_setval()
long set_one(Task& task, i32 id, int num, int value) {
  if (value < 0 || value > SEMVMX) return -ERANGE;
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EINVAL;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(id)) return -EINVAL;
  const u32 index = static_cast<u32>(num);
  if (index >= set->nsems) return -EINVAL;
  if (!is_permitted(*task.cred, set->perm, kWriteForAll)) return -EACCES;
  Semaphore* sem = semaphore_at(*task.cell, *set, index);
  if (sem == nullptr) return task.cell->poison("a set's array of semaphores is broken");
  Journal journal(task);
  journal.set(sem->state, pack_state(static_cast<u32>(value), task.identity.pid));
  // No process has anything to undo here any more.
  journal.set(sem->epoch, sem->epoch + 1);
  settle_changed(task, set, journal);
  return 0;
}

// --------------------------------------------------------------------------- all semaphores

// Size of the set, whose lock is given back again: memory is found and the program's is read
// without it. -errno.
long size_of_set(Task& task, i32 id, u32 access) {
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EINVAL;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(id)) return -EINVAL;
  if (!is_permitted(*task.cred, set->perm, access)) return -EACCES;
  if (set->nsems > kArrayLeavesMax * kLeafBytes / sizeof(Semaphore))
    return task.cell->poison("a set has too many semaphores");
  return static_cast<long>(set->nsems);
}

long get_values(Task& task, i32 id, Values& values, u32 count) {
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EIDRM;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(id) || set->nsems != count) return -EIDRM;
  for (u32 num = 0; num < count; ++num) {
    const Semaphore* sem = semaphore_at(*task.cell, *set, num);
    if (sem == nullptr) return task.cell->poison("a set's array of semaphores is broken");
    values[num] = sem->get().value;
  }
  return 0;
}

long get_all(Task& task, i32 id, void* out) {
  const long nsems = size_of_set(task, id, kReadForAll);
  if (nsems < 0) return nsems;
  const std::size_t count = static_cast<std::size_t>(nsems);
  Values values;
  if (!values.make(count)) return -ENOMEM;
  if (const long error = get_values(task, id, values, static_cast<u32>(count))) return error;
  return copy_to_user(out, values.data(), count * sizeof(u16)) != 0 ? -EFAULT : 0;
}

// Fills the new array, which is in task.rec->array: what stays of the old one is who waits.
bool fill_array(const Task& task, const SemSetRec& set, Values& values, u32 count) {
  const Cell& cell = *task.cell;
  for (u32 num = 0; num < count; ++num) {
    const Semaphore* old = semaphore_at(cell, set, num);
    Semaphore* sem = array_at<Semaphore>(cell, task.rec->array, num);
    if (old == nullptr || sem == nullptr) return false;
    *sem = *old;
    sem->state = pack_state(values[num], task.identity.pid);
    ++sem->epoch;
  }
  kill_barrier();
  return true;
}

long set_values(Task& task, i32 id, Values& values, u32 count) {
  const u64 offset = find_record(task, sem_registry(*task.cell), id);
  if (offset == 0) return -EIDRM;
  LockedSet set(task, offset);
  if (!set) return -EIO;
  if (!set.is(id) || set->nsems != count) return -EIDRM;
  if (!fill_array(task, *set, values, count))
    return task.cell->poison("a set's array of semaphores is broken");
  Journal journal(task);
  const u64 old = set->sems;
  journal.set(set->sems, static_cast<u64>(task.rec->array));
  journal.set(task.rec->array, old);
  settle_changed(task, set, journal);
  return 0;
}

long set_all(Task& task, i32 id, const void* given) {
  const long nsems = size_of_set(task, id, kWriteForAll);
  if (nsems < 0) return nsems;
  const std::size_t count = static_cast<std::size_t>(nsems);
  Values values;
  if (!values.make(count)) return -ENOMEM;
  if (copy_from_user(values.data(), given, count * sizeof(u16)) != 0) return -EFAULT;
  for (std::size_t n = 0; n < count; ++n) {
    if (values[n] > SEMVMX) return -ERANGE;
  }
  if (const int error = build_array(task, count * sizeof(Semaphore))) return error;
  const long result = set_values(task, id, values, static_cast<u32>(count));
  // The old array, or the new one if it was not wanted.
  free_array(task, task.rec->array);
  return result;
}

// --------------------------------------------------------------------------- the set

void fill_semid(const SemSetRec& set, struct semid_ds* out) {
  __builtin_memset(out, 0, sizeof *out);
  fill_perm(set.perm, &out->sem_perm);
  put_time(&out->sem_otime, set.otime);
  put_time(&out->sem_ctime, set.ctime);
  out->sem_nsems = set.nsems;
}

// Linux: ipc/sem.c:semctl_stat()
long stat_set(Task& task, i32 id, int command, void* buffer) {
  const bool by_index = command != IPC_STAT;
  struct semid_ds out;
  long result = 0;
  {
    const u64 offset = find_record(task, sem_registry(*task.cell), id);
    if (offset == 0) return -EINVAL;
    LockedSet set(task, offset, Dead::All);
    if (!set) return -EIO;
    if (set->live == 0 || (!by_index && set->perm.id != id)) return -EINVAL;
    if (command != SEM_STAT_ANY && !is_permitted(*task.cred, set->perm, kReadForAll))
      return -EACCES;
    fill_semid(*set, &out);
    if (by_index) result = set->perm.id;
  }
  return copy_to_user(buffer, &out, sizeof out) != 0 ? -EFAULT : result;
}

// Linux: ipc/sem.c:semctl_info()
long info(Task& task, int command, void* buffer) {
  const Limits& limits = task.cell->header().limits;
  Registry& registry = sem_registry(*task.cell);
  struct seminfo out;
  __builtin_memset(&out, 0, sizeof out);
  out.semmni = static_cast<int>(load_relaxed(limits.semmni));
  out.semmns = static_cast<int>(load_relaxed(limits.semmns));
  out.semmsl = static_cast<int>(load_relaxed(limits.semmsl));
  out.semopm = static_cast<int>(load_relaxed(limits.semopm));
  out.semvmx = SEMVMX;
  out.semmnu = SEMMNU;
  out.semmap = SEMMAP;
  out.semume = SEMUME;
  out.semusz = SEMUSZ;
  out.semaem = SEMAEM;
  i32 max_idx;
  {
    Locked locked(task, registry.lock);
    max_idx = registry.max_idx;
    if (command == SEM_INFO) {
      out.semusz = registry.in_use;
      out.semaem = static_cast<int>(registry.total);
    }
  }
  if (copy_to_user(buffer, &out, sizeof out) != 0) return -EFAULT;
  return max_idx < 0 ? 0 : max_idx;
}

long remove_set(Task& task, i32 id) {
  Registry& registry = sem_registry(*task.cell);
  const long result =
      unregister_object<LockedSet>(task, registry, id, [&](Journal& journal, SemSetRec& set) {
        journal.set(registry.total, registry.total - static_cast<i64>(set.nsems));
      });
  if (result == 0) tear_down_set(task);
  return result;
}

long control(Task& task, i32 id, int num, int command, unsigned long argument) {
  void* buffer = reinterpret_cast<void*>(argument);
  switch (command) {
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT: return get_one(task, id, num, command);
    case SETVAL: return set_one(task, id, num, static_cast<int>(argument));
    case GETALL: return get_all(task, id, buffer);
    case SETALL: return set_all(task, id, buffer);
    case IPC_INFO:
    case SEM_INFO: return info(task, command, buffer);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: return stat_set(task, id, command, buffer);
    case IPC_SET: {
      // The buffer is read before the id is looked at.
      struct semid_ds wanted;
      if (copy_from_user(&wanted, buffer, sizeof wanted) != 0) return -EFAULT;
      return set_object_perm<LockedSet>(task, sem_registry(*task.cell), id, wanted.sem_perm,
                                        now(task));
    }
    case IPC_RMID: return remove_set(task, id);
    default: return -EINVAL;
  }
}

}  // namespace

// Linux: ipc/sem.c:ksys_semctl()
long sys_semctl(Task& task, int id, int num, int command, unsigned long argument) {
  if (may_fail(task, FaultOp::Semctl)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Semctl,
                         .id = id,
                         .number = num,
                         .command = fault_command(command),
                         .argument = argument},
                        [&] { return sys_semctl(task, id, num, command, argument); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (id < 0) return -EINVAL;
  const long result = control(task, id, num, command, argument);
  reap_met(task);
  return result;
}

}  // namespace ipcell
