#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/limits.h"
#include "core/ipc/msg.h"
#include "core/ipc/reap.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

void fill_msqid(const MsgQueueRec& queue, struct msqid_ds* out) {
  __builtin_memset(out, 0, sizeof *out);
  fill_perm(queue.perm, &out->msg_perm);
  put_time(&out->msg_stime, queue.stime);
  put_time(&out->msg_rtime, queue.rtime);
  put_time(&out->msg_ctime, queue.ctime);
  out->__msg_cbytes = queue.held().cbytes;
  out->msg_qnum = queue.held().qnum;
  out->msg_qbytes = static_cast<msglen_t>(queue.qbytes);
  out->msg_lspid = queue.lspid;
  out->msg_lrpid = queue.lrpid;
}

// Linux: ipc/msg.c:msgctl_stat()
long stat_queue(Task& task, i32 id, int command, void* buffer) {
  const bool by_index = command != IPC_STAT;
  struct msqid_ds out;
  long result = 0;
  {
    const u64 offset = find_record(task, msg_registry(*task.cell), id);
    if (offset == 0) return -EINVAL;
    LockedQueue queue(task, offset);
    if (!queue) return -EIO;
    if (queue->live == 0 || (!by_index && queue->perm.id != id)) return -EINVAL;
    if (command != kMsgStatAny && !is_permitted(*task.cred, queue->perm, kReadForAll))
      return -EACCES;
    fill_msqid(*queue, &out);
    if (by_index) result = queue->perm.id;
  }
  return copy_to_user(buffer, &out, sizeof out) != 0 ? -EFAULT : result;
}

struct MsgTotals {
  u64 messages = 0;
  u64 bytes = 0;
};

// The kernel keeps running totals; here they are added up when asked for, so that sending touches
// no counter that all queues share. The registry is locked.
MsgTotals add_up_locked(Task& task, const Registry& registry) {
  MsgTotals totals;
  for (i32 idx = 0; idx <= registry.max_idx && idx < static_cast<i32>(kMaxIds); ++idx) {
    const u64 offset = peek_record(registry, idx);
    if (offset == 0) continue;
    LockedQueue queue(task, offset);
    if (!queue) break;
    if (queue->live == 0) continue;
    totals.messages += queue->held().qnum;
    totals.bytes += queue->held().cbytes;
  }
  return totals;
}

i32 clamp_to_int(u64 value) { return value > 0x7fffffff ? 0x7fffffff : static_cast<i32>(value); }

// Linux: ipc/msg.c:msgctl_info()
long info(Task& task, int command, void* buffer) {
  const Limits& limits = task.cell->header().limits;
  Registry& registry = msg_registry(*task.cell);
  struct msginfo out;
  __builtin_memset(&out, 0, sizeof out);
  out.msgmni = static_cast<int>(load_relaxed(limits.msgmni));
  out.msgmax = static_cast<int>(load_relaxed(limits.msgmax));
  out.msgmnb = static_cast<int>(load_relaxed(limits.msgmnb));
  out.msgssz = MSGSSZ;
  out.msgseg = MSGSEG;
  out.msgpool = MSGPOOL;
  out.msgmap = MSGMAP;
  out.msgtql = MSGTQL;
  i32 max_idx;
  {
    Locked locked(task, registry.lock);
    max_idx = registry.max_idx;
    if (command == MSG_INFO) {
      const MsgTotals totals = add_up_locked(task, registry);
      out.msgpool = registry.in_use;
      out.msgmap = clamp_to_int(totals.messages);
      out.msgtql = clamp_to_int(totals.bytes);
    }
  }
  if (copy_to_user(buffer, &out, sizeof out) != 0) return -EFAULT;
  return max_idx < 0 ? 0 : max_idx;
}

// Linux: ipc/util.c:ipcctl_obtain_check(), ipc_update_perm(), ipc/msg.c:msgctl_down()
long set_queue(Task& task, i32 id, const struct msqid_ds& wanted) {
  const u64 offset = find_record(task, msg_registry(*task.cell), id);
  if (offset == 0) return -EINVAL;
  LockedQueue queue(task, offset);
  if (!queue) return -EIO;
  if (!queue.is(id)) return -EINVAL;
  if (!is_owner_or_admin(*task.cred, queue->perm)) return -EPERM;
  // Linux: ipc/msg.c:msgctl_down() takes it as an int.
  const i32 qbytes = static_cast<i32>(wanted.msg_qbytes);
  if (static_cast<u32>(qbytes) > load_relaxed(task.cell->header().limits.msgmnb) &&
      !task.cred->has_capability(kCapSysResource)) {
    return -EPERM;
  }
  Journal journal(task);
  if (const int error = update_perm(journal, queue->perm, wanted.msg_perm)) return error;
  journal.set(queue->qbytes, static_cast<u64>(static_cast<i64>(qbytes)));
  journal.set(queue->ctime, now(task));
  // Receivers may be excluded now, and senders may have room: whoever sleeps asks again.
  journal.set(queue->perm_seq, queue->perm_seq + 1);
  journal.set(queue->unsettled, 1u);
  journal.commit();
  settle(task, *queue, queue.wakes());
  return 0;
}

long remove_queue(Task& task, i32 id) {
  const long result = unregister_object<LockedQueue>(task, msg_registry(*task.cell), id,
                                                     [](Journal&, MsgQueueRec&) {});
  if (result == 0) tear_down_queue(task);
  return result;
}

}  // namespace

// Linux: ipc/msg.c:ksys_msgctl(): the buffer is read before the id is looked at.
long sys_msgctl(Task& task, int id, int command, void* buffer) {
  if (may_fail(task, FaultOp::Msgctl)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Msgctl,
                         .id = id,
                         .command = fault_command(command),
                         .argument = reinterpret_cast<std::uintptr_t>(buffer)},
                        [&] { return sys_msgctl(task, id, command, buffer); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  if (id < 0 || command < 0) return -EINVAL;
  long result = -EINVAL;
  switch (command) {
    case IPC_INFO:
    case MSG_INFO: result = info(task, command, buffer); break;
    case IPC_STAT:
    case MSG_STAT:
    case kMsgStatAny: result = stat_queue(task, id, command, buffer); break;
    case IPC_SET: {
      struct msqid_ds wanted;
      if (copy_from_user(&wanted, buffer, sizeof wanted) != 0) return -EFAULT;
      result = set_queue(task, id, wanted);
      break;
    }
    case IPC_RMID: result = remove_queue(task, id); break;
    default: break;
  }
  reap_met(task);
  return result;
}

}  // namespace ipcell
