#include "core/ipc/perm.h"

#include <cerrno>

namespace ipcell {

bool is_permitted(const Cred& cred, const PermRec& perm, u32 flag) {
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

bool is_owner_or_admin(const Cred& cred, const PermRec& perm) {
  return cred.euid == perm.cuid || cred.euid == perm.uid || cred.has_capability(kCapSysAdmin);
}

int update_perm(Journal& journal, PermRec& perm, const struct ipc_perm& wanted) {
  const u32 no_id = ~0u;
  if (wanted.uid == no_id || wanted.gid == no_id) return -EINVAL;
  journal.set(perm.uid, static_cast<u32>(wanted.uid));
  journal.set(perm.gid, static_cast<u32>(wanted.gid));
  journal.set(perm.mode, (perm.mode & ~kModeBits) | (wanted.mode & kModeBits));
  return 0;
}

}  // namespace ipcell
