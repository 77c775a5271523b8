#include <sys/shm.h>

#include <cerrno>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/reap.h"
#include "core/ipc/segment_space.h"
#include "core/ipc/wait.h"
#include "core/syscalls.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

namespace ipcell {

namespace {

// --------------------------------------------------------------------------- telling

void fill_shmid(const SegmentRec& segment, struct shmid_ds* out) {
  __builtin_memset(out, 0, sizeof *out);
  fill_perm(segment.perm, &out->shm_perm);
  out->shm_segsz = static_cast<std::size_t>(segment.size);
  put_time(&out->shm_atime, segment.atime);
  put_time(&out->shm_dtime, segment.dtime);
  put_time(&out->shm_ctime, segment.ctime);
  out->shm_cpid = segment.cpid;
  out->shm_lpid = segment.lpid;
  out->shm_nattch = static_cast<shmatt_t>(segment.nattch);
}

// Linux: ipc/shm.c:shmctl_stat()
long stat_segment(Task& task, i32 id, int command, void* buffer) {
  const bool by_index = command != IPC_STAT;
  struct shmid_ds out;
  long result = 0;
  {
    const u64 offset = find_record(task, shm_registry(*task.cell), id);
    if (offset == 0) return -EINVAL;
    LockedSegment segment(task, offset, true);
    if (!segment) return -EIO;
    if (!segment.is_there() || (!by_index && segment->perm.id != id)) return -EINVAL;
    if (command != SHM_STAT_ANY && !is_permitted(*task.cred, segment->perm, kReadForAll))
      return -EACCES;
    fill_shmid(*segment, &out);
    if (by_index) result = segment->perm.id;
  }
  return copy_to_user(buffer, &out, sizeof out) != 0 ? -EFAULT : result;
}

// Linux: ipc/shm.c:shmctl_ipc_info()
void fill_limits(const Limits& limits, struct shminfo* out) {
  u64 shmmax = load_relaxed(limits.shmmax);
  // Linux: ipc/shm.c:copy_compat_shminfo_to_user()
  if (sizeof out->shmmax < sizeof shmmax && shmmax > 0x7fffffff) shmmax = 0x7fffffff;
  out->shmmax = static_cast<decltype(out->shmmax)>(shmmax);
  out->shmmin = SHMMIN;
  out->shmmni = load_relaxed(limits.shmmni);
  out->shmseg = out->shmmni;
  out->shmall = static_cast<decltype(out->shmall)>(load_relaxed(limits.shmall));
}

// The registry is locked.
u64 count_resident_locked(Task& task, const Registry& registry) {
  u64 resident = 0;
  for (i32 idx = 0; idx < static_cast<i32>(kMaxIds) && !task.cell->is_poisoned(); ++idx) {
    if (idx > registry.max_idx) break;
    const u64 offset = peek_record(registry, idx);
    if (offset == 0) continue;
    LockedSegment segment(task, offset);
    if (segment) resident += count_resident(task, *segment);
  }
  return resident;
}

long highest(const Registry& registry) { return registry.max_idx < 0 ? 0 : registry.max_idx; }

// Linux: ipc/shm.c:shmctl_ipc_info(), shmctl_shm_info()
long info(Task& task, int command, void* buffer) {
  Registry& registry = shm_registry(*task.cell);
  // What is left of the dead is no more.
  sweep_segments(task);
  long result;
  if (command == IPC_INFO) {
    struct shminfo out;
    __builtin_memset(&out, 0, sizeof out);
    fill_limits(task.cell->header().limits, &out);
    {
      Locked locked(task, registry.lock);
      result = highest(registry);
    }
    return copy_to_user(buffer, &out, sizeof out) != 0 ? -EFAULT : result;
  }
  struct shm_info out;
  __builtin_memset(&out, 0, sizeof out);
  {
    Locked locked(task, registry.lock);
    out.used_ids = registry.in_use;
    out.shm_tot = static_cast<decltype(out.shm_tot)>(registry.total);
    out.shm_rss = static_cast<decltype(out.shm_rss)>(count_resident_locked(task, registry));
    result = highest(registry);
  }
  return copy_to_user(buffer, &out, sizeof out) != 0 ? -EFAULT : result;
}

// --------------------------------------------------------------------------- changing

// Linux: ipc/shm.c:do_shm_rmid()
long remove_segment(Task& task, i32 id) {
  const Cell& cell = *task.cell;
  Registry& registry = shm_registry(cell);
  Locked locked(task, registry.lock);
  const u64 offset = peek_record(registry, id);
  if (offset == 0) return -EINVAL;
  LockedSegment segment(task, offset, true);
  if (!segment) return -EIO;
  if (!segment.is(id)) return -EINVAL;
  if (!is_owner_or_admin(*task.cred, segment->perm)) return -EPERM;
  Journal journal(task);
  make_key_private_locked(journal, cell, registry, segment->perm);
  if ((segment->perm.mode & SHM_DEST) == 0) {
    SegmentSpace& space = cell.layout().segment_space;
    journal.set(space.marked, space.marked + 1);
    journal.set(segment->perm.mode, segment->perm.mode | SHM_DEST);
  }
  // Nobody will find it by its key any more; if nobody has it attached, that was all.
  if (is_doomed(*segment)) journal.set(task.rec->doomed, offset);
  journal.commit();
  return 0;
}

// Bytes that the user has locked, other than in this segment. The registry is locked.
u64 count_locked_by(Task& task, const Registry& registry, u32 uid, u64 except) {
  u64 bytes = 0;
  for (i32 idx = 0; idx < static_cast<i32>(kMaxIds) && !task.cell->is_poisoned(); ++idx) {
    if (idx > registry.max_idx) break;
    const u64 offset = peek_record(registry, idx);
    if (offset == 0 || offset == except) continue;
    LockedSegment segment(task, offset);
    if (segment && (segment->perm.mode & SHM_LOCKED) != 0 && segment->locker_uid == uid)
      bytes += segment->pages * kPage;
  }
  return bytes;
}

// Linux: ipc/shm.c:shmctl_do_lock(), mm/mlock.c:user_shm_lock()
long set_locked(Task& task, i32 id, bool is_lock) {
  Registry& registry = shm_registry(*task.cell);
  Locked locked(task, registry.lock);
  const u64 offset = peek_record(registry, id);
  if (offset == 0) return -EINVAL;
  const Cred& cred = *task.cred;
  const bool is_bounded = !cred.has_capability(kCapIpcLock);
  const u64 limit = is_bounded && is_lock ? memory_lock_limit() : ~0ull;
  const u64 others = limit != ~0ull ? count_locked_by(task, registry, cred.euid, offset) : 0;
  LockedSegment segment(task, offset);
  if (!segment) return -EIO;
  if (!segment.is(id)) return -EINVAL;
  const PermRec& perm = segment->perm;
  if (is_bounded) {
    if (cred.euid != perm.uid && cred.euid != perm.cuid) return -EPERM;
    if (is_lock && limit == 0) return -EPERM;
  }
  if (((perm.mode & SHM_LOCKED) != 0) == is_lock) return 0;
  if (is_lock && others + segment->pages * kPage > limit / kPage * kPage) return -ENOMEM;
  Journal journal(task);
  if (is_lock) journal.set(segment->locker_uid, cred.euid);
  journal.set(segment->perm.mode,
              is_lock ? perm.mode | SHM_LOCKED : perm.mode & ~static_cast<u32>(SHM_LOCKED));
  journal.commit();
  return 0;
}

long control(Task& task, i32 id, int command, void* buffer) {
  switch (command) {
    case IPC_INFO:
    case SHM_INFO: return info(task, command, buffer);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: return stat_segment(task, id, command, buffer);
    case IPC_SET: {
      // The buffer is read before the id is looked at.
      struct shmid_ds wanted;
      if (copy_from_user(&wanted, buffer, sizeof wanted) != 0) return -EFAULT;
      return set_object_perm<LockedSegment>(task, shm_registry(*task.cell), id, wanted.shm_perm,
                                            now(task));
    }
    case IPC_RMID: return remove_segment(task, id);
    case SHM_LOCK:
    case SHM_UNLOCK: return set_locked(task, id, command == SHM_LOCK);
    default: return -EINVAL;
  }
}

}  // namespace

u64 count_resident(Task& task, const SegmentRec& segment) {
  if (segment.is_touched == 0 || task.addresses == nullptr) return 0;
  return task.addresses->file.count_resident(range_of(segment));
}

// Linux: ipc/shm.c:ksys_shmctl()
long sys_shmctl(Task& task, int id, int command, void* buffer) {
  if (may_fail(task, FaultOp::Shmctl)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Shmctl,
                         .id = id,
                         .command = fault_command(command),
                         .argument = reinterpret_cast<std::uintptr_t>(buffer)},
                        [&] { return sys_shmctl(task, id, command, buffer); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (id < 0 || command < 0) return -EINVAL;
  const long result = control(task, id, command, buffer);
  remove_doomed_met(task);
  reap_met(task);
  return result;
}

}  // namespace ipcell
