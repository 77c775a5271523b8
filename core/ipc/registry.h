// The registry of one family of objects: key <-> index <-> id, as ipc/util.c keeps it.
//
// id = seq * 32768 + idx. Indexes are given cyclically, so ids in a fresh cell equal those of a
// fresh kernel namespace.
#pragma once

#include <sys/ipc.h>

#include <cerrno>

#include "core/cell/lock.h"
#include "core/ipc/perm.h"

namespace ipcell {

// What the record of an object of any family begins with.
struct ObjectHead {
  u64 free_link;
  LockWord lock;
  u32 live;
  PermRec perm;
};
template <class Record>
constexpr bool kHasObjectHead = offsetof(Record, lock) == offsetof(ObjectHead, lock) &&
                                offsetof(Record, live) == offsetof(ObjectHead, live) &&
                                offsetof(Record, perm) == offsetof(ObjectHead, perm);

constexpr i32 kIdxBits = 15;  // Linux: ipc/util.h:ipcmni_seq_shift()
constexpr i32 kMaxSeq = 0x7fffffff >> kIdxBits;

constexpr Idx idx_of(i32 id) { return static_cast<Idx>(static_cast<u32>(id) % kMaxIds); }

// Finds by key. The caller holds the registry's lock. Idx::None if there is none.
// Linux: ipc/util.c:ipc_findkey()
Idx find_key_locked(const Cell& cell, const Registry& registry, Key key);

// Gives the record at `offset` an index and an id (written to `perm`, a fresh record's), enters its
// key, all in the caller's transaction under the registry's lock. Id, or -ENOSPC beyond `limit`
// objects, -ENOMEM. Linux: ipc/util.c:ipc_addid()
int add_id_locked(Journal& journal, const Cell& cell, Registry& registry, u64 offset, PermRec& perm,
                  i32 limit);

// Linux: ipc/util.c:ipc_rmid(). In the caller's transaction, under the registry's lock.
void remove_id_locked(Journal& journal, const Cell& cell, Registry& registry, const PermRec& perm);

// Takes the object's key away. Linux: ipc/util.c:ipc_set_key_private(). In the caller's
// transaction, under the registry's lock and the object's.
void make_key_private_locked(Journal& journal, const Cell& cell, Registry& registry, PermRec& perm);

// Offset of the record that stands at the id's index, 0 if none. Read without the lock, so the
// record's own lock and id must confirm it. Linux: ipc/util.c:ipc_obtain_object_idr()
inline u64 peek_record(const Registry& registry, i32 id) {
  const i32 idx = static_cast<i32>(idx_of(id));
  // Entries above have never been used and may have no memory behind them.
  if (idx > load_acquire(registry.max_idx)) return 0;
  return load_acquire(registry.entries[idx].record);
}

// The same for a caller that tells the program what it finds. That there is none must not be read
// from a removal that is still to be committed: a miss is confirmed under the lock.
inline u64 find_record(Task& task, Registry& registry, i32 id) {
  const u64 offset = peek_record(registry, id);
  if (offset != 0) [[likely]]
    return offset;
  Locked locked(task, registry.lock);
  return peek_record(registry, id);
}

// What all the *get(2) calls do: finds the object of the key, or makes one. `create()` and
// `existing(offset)` are called with the registry locked. Linux: ipc/util.c:ipcget()
template <class Create, class Existing>
int get_object(Task& task, Registry& registry, Key key, int flags, Create create,
               Existing existing) {
  Locked locked(task, registry.lock);
  if (key == Key::Private) return create();
  const Idx idx = find_key_locked(*task.cell, registry, key);
  if (idx == Idx::None) return (flags & IPC_CREAT) != 0 ? create() : -ENOENT;
  // EEXIST before EACCES.
  if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return -EEXIST;
  return existing(registry.entries[static_cast<u32>(idx)].record);
}

// What an IPC_SET does that changes nothing but owner and mode. 0, -EINVAL, -EPERM, -EIO.
// Linux: ipc/util.c:ipcctl_obtain_check(), ipc_update_perm()
template <class LockedObject>
long set_object_perm(Task& task, Registry& registry, i32 id, const struct ipc_perm& wanted,
                     i64 now) {
  const u64 offset = find_record(task, registry, id);
  if (offset == 0) return -EINVAL;
  LockedObject object(task, offset);
  if (!object) return -EIO;
  if (!object.is(id)) return -EINVAL;
  if (!is_owner_or_admin(*task.cred, object->perm)) return -EPERM;
  Journal journal(task);
  if (const int error = update_perm(journal, object->perm, wanted)) return error;
  journal.set(object->ctime, now);
  journal.commit();
  return 0;
}

// What the IPC_RMIDs of queues and sets do: takes the object's id and key away, in one transaction,
// to which `change(journal, object)` adds what the family keeps beside. What is left of the object
// is then task.rec->destroying, to be torn down. 0, -EINVAL, -EPERM, -EIO.
template <class LockedObject, class Change>
long unregister_object(Task& task, Registry& registry, i32 id, Change change) {
  Locked locked(task, registry.lock);
  const u64 offset = peek_record(registry, id);
  if (offset == 0) return -EINVAL;
  LockedObject object(task, offset);
  if (!object) return -EIO;
  if (!object.is(id)) return -EINVAL;
  if (!is_owner_or_admin(*task.cred, object->perm)) return -EPERM;
  Journal journal(task);
  remove_id_locked(journal, *task.cell, registry, object->perm);
  change(journal, *object);
  journal.set(object->live, 0u);
  journal.set(task.rec->destroying, offset);
  journal.commit();
  return 0;
}

}  // namespace ipcell
