// Permissions of IPC objects. Emulation, not a security boundary: who may map the cell may do
// anything to it.
#pragma once

#include <sys/ipc.h>

#include "core/cell/journal.h"

namespace ipcell {

// Linux: include/linux/ipc.h:struct kern_ipc_perm. In each object's record; guarded by its lock.
struct PermRec {
  i32 id;  // -1 while the record is no object
  i32 key;
  u32 uid, gid;    // owner
  u32 cuid, cgid;  // creator
  u32 mode;        // permission bits
  u32 pad;
};

constexpr u32 kModeBits = 0777;

// Linux: include/uapi/linux/capability.h
constexpr int kCapChown = 0;
constexpr int kCapDacOverride = 1;
constexpr int kCapDacReadSearch = 2;
constexpr int kCapFowner = 3;
constexpr int kCapFsetid = 4;
constexpr int kCapSysAdmin = 21;
constexpr int kCapSysResource = 24;
constexpr int kCapCheckpointRestore = 40;
constexpr int kCapIpcOwner = 15;
constexpr int kCapIpcLock = 14;

constexpr u32 kReadForAll = 0444;
constexpr u32 kWriteForAll = 0222;
constexpr u32 kExecForAll = 0111;

// Of an object that the caller makes; it has no id yet.
inline PermRec fresh_perm(const Cred& cred, Key key, u32 mode) {
  return {-1,        static_cast<i32>(key), cred.euid, cred.egid, cred.euid,
          cred.egid, mode & kModeBits,      0};
}

// Linux: ipc/util.c:ipcperms(). `flag` holds the wanted bits in any of the three classes.
inline bool is_permitted(const Cred& cred, const PermRec& perm, u32 flag) {
  const u32 requested = (flag >> 6) | (flag >> 3) | flag;
  u32 granted = perm.mode;
  // One class decides, the first that fits: an owner without rights gains none from the others.
  if (cred.euid == perm.cuid || cred.euid == perm.uid) {
    granted >>= 6;
  } else if (cred.is_in_group(perm.cgid) || cred.is_in_group(perm.gid)) {
    granted >>= 3;
  }
  return (requested & ~granted & 7) == 0 || cred.has_capability(kCapIpcOwner);
}

// Linux: ipc/util.c:ipcctl_obtain_check(): may the caller IPC_SET or IPC_RMID?
bool is_owner_or_admin(const Cred& cred, const PermRec& perm);

// Linux: ipc/util.c:kernel_to_ipc64_perm(). `out` is cleared.
void fill_perm(const PermRec& perm, struct ipc_perm* out);

// A time in libc's struct of an object: an i64, also where it is declared as a long and its upper
// half.
template <class Field>
inline void put_time(Field* field, i64 seconds) {
  __builtin_memcpy(static_cast<void*>(field), &seconds, sizeof seconds);
}

// Linux: ipc/util.c:ipc_update_perm(). In the caller's transaction. 0 or -EINVAL.
int update_perm(Journal& journal, PermRec& perm, const struct ipc_perm& wanted);

}  // namespace ipcell
