#include "core/ipc/perm.h"

#include <cerrno>

namespace ipcell {

bool is_owner_or_admin(const Cred& cred, const PermRec& perm) {
  return cred.euid == perm.cuid || cred.euid == perm.uid || cred.has_capability(kCapSysAdmin);
}

void fill_perm(const PermRec& perm, struct ipc_perm* out) {
  out->__key = perm.key;
  out->uid = perm.uid;
  out->gid = perm.gid;
  out->cuid = perm.cuid;
  out->cgid = perm.cgid;
  out->mode = static_cast<decltype(out->mode)>(perm.mode);
  out->__seq = static_cast<unsigned short>(static_cast<u32>(perm.id) / kMaxIds);
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
