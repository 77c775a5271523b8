#if defined(__i386__)

#include "interpose/old_structs.h"

#include <cerrno>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/base/usercopy.h"

namespace ipcell {

namespace {

// Linux: include/linux/compat.h:struct compat_ipc_perm
struct OldPerm {
  i32 key;
  u16 uid, gid, cuid, cgid, mode, seq;
};
// Linux: ipc/msg.c:struct compat_msqid_ds
struct OldQueue {
  OldPerm perm;
  u32 first, last;
  i32 stime, rtime, ctime;
  u32 lcbytes, lqbytes;
  u16 cbytes, qnum, qbytes, lspid, lrpid;
};
// Linux: ipc/sem.c:struct compat_semid_ds
struct OldSet {
  OldPerm perm;
  i32 otime, ctime;
  u32 base, pending, pending_last, undo;
  u16 nsems;
};
// Linux: ipc/shm.c:struct compat_shmid_ds
struct OldSegment {
  OldPerm perm;
  i32 segsz, atime, dtime, ctime;
  u16 cpid, lpid, nattch, unused;
  u32 unused2, unused3;
};
// Linux: include/uapi/linux/shm.h:struct shminfo
struct OldLimits {
  i32 shmmax, shmmin, shmmni, shmseg, shmall;
};

// Linux: include/linux/highuid.h:high2lowuid()
u16 low_id(u32 id) { return id > 0xffff ? 65534 : static_cast<u16>(id); }

// Linux: ipc/util.c:to_compat_ipc_perm()
OldPerm old_perm(const struct ipc_perm& perm) {
  return {perm.__key,        low_id(perm.uid),  low_id(perm.gid),
          low_id(perm.cuid), low_id(perm.cgid), static_cast<u16>(perm.mode),
          perm.__seq};
}
// Linux: ipc/util.c:get_compat_ipc_perm()
void take_perm(const OldPerm& from, struct ipc_perm* perm) {
  perm->uid = from.uid;
  perm->gid = from.gid;
  perm->mode = from.mode;
}

OldQueue old_struct(const struct msqid_ds& from) {
  OldQueue old = {};
  old.perm = old_perm(from.msg_perm);
  old.stime = static_cast<i32>(from.msg_stime);
  old.rtime = static_cast<i32>(from.msg_rtime);
  old.ctime = static_cast<i32>(from.msg_ctime);
  old.cbytes = static_cast<u16>(from.__msg_cbytes);
  old.qnum = static_cast<u16>(from.msg_qnum);
  old.qbytes = static_cast<u16>(from.msg_qbytes);
  old.lspid = static_cast<u16>(from.msg_lspid);
  old.lrpid = static_cast<u16>(from.msg_lrpid);
  return old;
}
OldSet old_struct(const struct semid_ds& from) {
  OldSet old = {};
  old.perm = old_perm(from.sem_perm);
  old.otime = static_cast<i32>(from.sem_otime);
  old.ctime = static_cast<i32>(from.sem_ctime);
  old.nsems = static_cast<u16>(from.sem_nsems);
  return old;
}
OldSegment old_struct(const struct shmid_ds& from) {
  OldSegment old = {};
  old.perm = old_perm(from.shm_perm);
  old.segsz = static_cast<i32>(from.shm_segsz);
  old.atime = static_cast<i32>(from.shm_atime);
  old.dtime = static_cast<i32>(from.shm_dtime);
  old.ctime = static_cast<i32>(from.shm_ctime);
  old.cpid = static_cast<u16>(from.shm_cpid);
  old.lpid = static_cast<u16>(from.shm_lpid);
  old.nattch = static_cast<u16>(from.shm_nattch);
  return old;
}
OldLimits old_struct(const struct shminfo& from) {
  return {static_cast<i32>(from.shmmax), static_cast<i32>(from.shmmin),
          static_cast<i32>(from.shmmni), static_cast<i32>(from.shmseg),
          static_cast<i32>(from.shmall)};
}

// Makes the call with today's struct, and gives the caller's the old one.
template <class Today, class Call>
long give_old(void* buffer, Call call) {
  Today today = {};
  const long result = call(&today);
  if (result < 0) return result;
  const auto old = old_struct(today);
  return copy_to_user(buffer, &old, sizeof old) != 0 ? -EFAULT : result;
}

}  // namespace

long old_msgctl(Task& task, int id, int command, void* buffer) {
  constexpr int kMsgStatAny = 13;
  const auto call = [&](void* today) { return sys_msgctl(task, id, command, today); };
  switch (command) {
    case IPC_STAT:
    case MSG_STAT:
    case kMsgStatAny: return give_old<struct msqid_ds>(buffer, call);
    case IPC_SET: {
      OldQueue old;
      if (copy_from_user(&old, buffer, sizeof old) != 0) return -EFAULT;
      struct msqid_ds today = {};
      take_perm(old.perm, &today.msg_perm);
      today.msg_qbytes = old.qbytes;
      return call(&today);
    }
    default: return call(buffer);
  }
}

long old_semctl(Task& task, int id, int num, int command, unsigned long argument) {
  constexpr int kSemStatAny = 20;
  const auto call = [&](void* today) {
    return sys_semctl(task, id, num, command, reinterpret_cast<unsigned long>(today));
  };
  void* const buffer = reinterpret_cast<void*>(argument);
  switch (command) {
    case IPC_STAT:
    case SEM_STAT:
    case kSemStatAny: return give_old<struct semid_ds>(buffer, call);
    case IPC_SET: {
      OldPerm old;
      if (copy_from_user(&old, buffer, sizeof old) != 0) return -EFAULT;
      struct semid_ds today = {};
      take_perm(old, &today.sem_perm);
      return call(&today);
    }
    default: return sys_semctl(task, id, num, command, argument);
  }
}

long old_shmctl(Task& task, int id, int command, void* buffer) {
  constexpr int kShmStatAny = 15;
  const auto call = [&](void* today) { return sys_shmctl(task, id, command, today); };
  switch (command) {
    case IPC_STAT:
    case SHM_STAT:
    case kShmStatAny: return give_old<struct shmid_ds>(buffer, call);
    case IPC_INFO: return give_old<struct shminfo>(buffer, call);
    case IPC_SET: {
      OldPerm old;
      if (copy_from_user(&old, buffer, sizeof old) != 0) return -EFAULT;
      struct shmid_ds today = {};
      take_perm(old, &today.shm_perm);
      return call(&today);
    }
    default: return call(buffer);
  }
}

}  // namespace ipcell

#endif
