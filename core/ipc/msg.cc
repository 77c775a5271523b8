#include "core/ipc/msg.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/reap.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

// --------------------------------------------------------------------------- msgget

// A fresh record: nobody finds it before it has an id, but a stale id may lead a task to its lock.
void init_queue(Task& task, MsgQueueRec& queue, Key key, u32 mode) {
  queue.live = 0;
  queue.perm = fresh_perm(*task.cred, key, mode);
  queue.perm_seq = 0;
  queue.stime = queue.rtime = 0;
  queue.ctime = now(task);
  queue.load = 0;
  queue.qbytes = load_relaxed(task.cell->header().limits.msgmnb);
  queue.lspid = queue.lrpid = 0;
  queue.first = queue.last = 0;
  queue.receivers = queue.senders = {kNoSlot, kNoSlot};
  queue.unsettled = 0;
  queue.refusing = 0;
}

// Linux: ipc/msg.c:newque(). The registry is locked.
int new_queue_locked(Task& task, Registry& registry, Key key, int flags) {
  ReservedBlock block;
  if (const int error = block.reserve(task, BlockClass::MsgQueue)) return error;
  MsgQueueRec& queue = *block.as<MsgQueueRec>();
  // Locked until the commit: who finds the record before it waits here, and learns what came of it.
  Locked locked(task, queue.lock);
  init_queue(task, queue, key, static_cast<u32>(flags));
  Journal journal(task);
  const i32 limit = static_cast<i32>(limit_of(task, task.cell->header().limits.msgmni));
  const int id = add_id_locked(journal, *task.cell, registry, block.offset(), queue.perm, limit);
  if (id < 0) return id;
  journal.set(queue.live, 1u);
  block.take(journal, task);
  journal.commit();
  return id;
}

// Linux: ipc/util.c:ipc_check_perms()
int existing_queue_locked(Task& task, u64 offset, int flags) {
  LockedQueue queue(task, offset);
  if (!queue) return -EIO;
  if (!is_permitted(*task.cred, queue->perm, static_cast<u32>(flags))) return -EACCES;
  if (queue->perm.id < 0) return task.cell->poison("a queue's id is negative");
  return queue->perm.id;
}

// --------------------------------------------------------------------------- blocking

void leave_removed_queue(Task& task, MsgQueueRec& queue, WaitNode& node) {
  Journal journal(task);
  WaitList& list = node.kind == WaitKind::Sender ? queue.senders : queue.receivers;
  if (!unlink_waiter(journal, *task.cell, list, task.slot)) {
    roll_back_journal(*task.cell, *task.rec);
    task.cell->poison("a queue's list of waiters is broken");
    return;
  }
  journal.set(node.result, -EIDRM);
  journal.commit();
  store_release(node.word, kWaitDone);
}

// The usual wake-up was published. This is for the one that was not: its waker died first.
void recheck_msg_wait(Task& task, WaitPlan&) {
  WaitNode& node = task.rec->wait;
  LockedQueue queue(task, node.object);
  if (!queue || task.cell->is_poisoned()) {
    node.result = -EIO;
    store_release(node.word, kWaitDone);
  } else if (node.linked == 0) {
    store_release(node.word, kWaitDone);
  } else if (queue->live == 0) {
    leave_removed_queue(task, *queue, node);
  }
}

// Puts the task to the end of the queue's list, as part of the caller's transaction.
void enqueue_self(Task& task, Journal& journal, MsgQueueRec& queue, WaitKind kind, i64 max_size) {
  WaitNode& node = task.rec->wait;
  // Unlinked, the node is the task's own.
  node.kind = kind;
  node.object = task.cell->offset_of(&queue);
  node.max_size = max_size;
  node.perm_seq = queue.perm_seq;
  node.result = kWaitPending;
  begin_wait(task);
  link_waiter(journal, *task.cell, kind == WaitKind::Sender ? queue.senders : queue.receivers,
              task.slot);
}

// Sleeps until a waker has finished the operation. Its result, or -EINTR.
i64 wait_for_result(Task& task) {
  WaitPlan plan;
  plan.recheck = recheck_msg_wait;
  if (sleep_until_done(task, plan) != WaitEnd::Done) return -EINTR;
  return task.rec->wait.result;
}

// --------------------------------------------------------------------------- msgsnd

// One try: 0 or -errno if it is over, kWaitPending if the task is now queued as a sender.
i64 try_send(Task& task, i32 id, BuiltMessage& built, int flags, int gone) {
  const u64 offset = find_record(task, msg_registry(*task.cell), id);
  if (offset == 0) return gone;
  LockedQueue queue(task, offset);
  if (!queue) return -EIO;
  if (!queue.is(id)) return gone;
  if (!is_permitted(*task.cred, queue->perm, kWriteForAll)) return -EACCES;
  const u64 size = built.message().size;
  Journal journal(task);
  if (fits(*queue, size)) [[likely]] {
    built.take(journal, task);
    deliver(task, journal, *queue, built.offset(), task.identity.pid, queue.wakes());
    return 0;
  }
  if ((flags & IPC_NOWAIT) != 0) return -EAGAIN;
  built.take(journal, task);
  journal.set(task.rec->wait.message, built.offset());
  enqueue_self(task, journal, *queue, WaitKind::Sender, static_cast<i64>(size));
  journal.commit();
  return kWaitPending;
}

long send_message(Task& task, i32 id, BuiltMessage& built, int flags) {
  int gone = -EINVAL;
  for (;;) {
    i64 result = try_send(task, id, built, flags, gone);
    if (result == 0) [[likely]]
      return 0;
    if (result != kWaitPending) {
      built.discard(task);
      return static_cast<long>(result);
    }
    result = wait_for_result(task);
    // Taken back by a handler, which may have forked: nothing here is ours any more.
    if (result == -EINTR || result == 0) return static_cast<long>(result);
    built.adopt_from_wait(task);
    if (result != kWaitRetry) {
      built.discard(task);
      return static_cast<long>(result);
    }
    gone = -EIDRM;
  }
}

// --------------------------------------------------------------------------- msgrcv

// Linux: ipc/msg.c:convert_mode()
u32 search_mode(long* type, int flags) {
  if ((flags & kMsgCopy) != 0) return SEARCH_NUMBER;
  if (*type == 0) return SEARCH_ANY;
  if (*type < 0) {
    *type = *type == __LONG_MAX__ * -1L - 1 ? __LONG_MAX__ : -*type;
    return SEARCH_LESSEQUAL;
  }
  return (flags & kMsgExcept) != 0 ? SEARCH_NOTEQUAL : SEARCH_EQUAL;
}

struct ReceiveArgs {
  i32 id;
  u64 size;
  i64 type;
  u32 mode;
  int flags;
};

// Takes the found message out of the queue into the task's in_flight.
void take_message(Task& task, LockedQueue& queue, const FoundMessage& found) {
  Journal journal(task);
  unlink_message(journal, *task.cell, *queue, found);
  journal.set_if_changed(queue->lrpid, task.identity.pid);
  journal.set_if_changed(queue->rtime, now(task));
  journal.set(task.rec->in_flight, found.offset);
  if (queue->senders.first == kNoSlot) [[likely]] {
    journal.commit();
    return;
  }
  journal.set(queue->unsettled, 1u);
  journal.commit();
  admit_senders(task, *queue, queue.wakes());
  journal.set(queue->unsettled, 0u);
  journal.commit();
}

i64 receive_found(Task& task, LockedQueue& queue, const ReceiveArgs& args,
                  const FoundMessage& found) {
  if (args.size < found.message->size && (args.flags & MSG_NOERROR) == 0) return -E2BIG;
  if ((args.flags & kMsgCopy) != 0) {
    MsgBlock* copy = task.cell->at<MsgBlock>(task.rec->in_flight);
    if (copy == nullptr) return -EIO;
    return copy_message(*task.cell, *copy, *found.message);
  }
  take_message(task, queue, found);
  return 0;
}

// One try: 0 (the message is in in_flight) or -errno if it is over, kWaitPending if queued.
i64 try_receive(Task& task, const ReceiveArgs& args, int gone) {
  const u64 offset = find_record(task, msg_registry(*task.cell), args.id);
  if (offset == 0) return gone;
  LockedQueue queue(task, offset);
  if (!queue) return -EIO;
  if (!queue.is(args.id)) return gone;
  if (!is_permitted(*task.cred, queue->perm, kReadForAll)) return -EACCES;
  const FoundMessage found = find_message(*task.cell, *queue, args.type, args.mode);
  if (found.message != nullptr) return receive_found(task, queue, args, found);
  if (task.cell->is_poisoned()) return -EIO;
  if ((args.flags & IPC_NOWAIT) != 0) return -ENOMSG;
  WaitNode& node = task.rec->wait;
  node.type = args.type;
  node.mode = args.mode;
  node.message = 0;
  Journal journal(task);
  const i64 max_size = (args.flags & MSG_NOERROR) != 0 ? 0x7fffffff : static_cast<i64>(args.size);
  enqueue_self(task, journal, *queue, WaitKind::Receiver, max_size);
  journal.commit();
  return kWaitPending;
}

// 0 with the message in the task's in_flight, or -errno.
long receive_message(Task& task, const ReceiveArgs& args) {
  int gone = -EINVAL;
  for (;;) {
    i64 result = try_receive(task, args, gone);
    if (result != kWaitPending) return static_cast<long>(result);
    result = wait_for_result(task);
    if (result == 0) BuiltMessage().adopt_from_wait(task);
    if (result != kWaitRetry) return static_cast<long>(result);
    gone = -EIDRM;
  }
}

// Linux: ipc/msg.c:do_msg_fill(). A message that can't be copied out is lost, as in the kernel.
long fill_buffer(Task& task, void* buffer, u64 size) {
  MsgBlock* message = task.cell->at<MsgBlock>(task.rec->in_flight);
  if (message == nullptr) return task.cell->poison("a message is outside of the heap");
  const long type = static_cast<long>(message->type);
  const u64 whole = load_relaxed(message->size);
  const u64 length = size < whole ? size : whole;
  if (copy_to_user(buffer, &type, sizeof type) != 0) return -EFAULT;
  if (store_message(task, *message, static_cast<u8*>(buffer) + sizeof type, length) != 0)
    return -EFAULT;
  return static_cast<long>(length);
}

}  // namespace

long sys_msgget(Task& task, int key, int flags) {
  if (may_fail(task, FaultOp::Msgget)) [[unlikely]] {
    return fail_or_call(
        task,
        {.op = FaultOp::Msgget, .key = static_cast<u32>(key), .flags = static_cast<u32>(flags)},
        [&] { return sys_msgget(task, key, flags); });
  }
  const Critical critical(task);
  if (task.cell->is_poisoned()) return -EIO;
  Registry& registry = msg_registry(*task.cell);
  const int result = get_object(
      task, registry, static_cast<Key>(key), flags,
      [&] { return new_queue_locked(task, registry, static_cast<Key>(key), flags); },
      [&](u64 offset) { return existing_queue_locked(task, offset, flags); });
  reap_met(task);
  return result;
}

// Linux: ipc/msg.c:ksys_msgsnd(), do_msgsnd(): EFAULT of the type, EINVAL, EFAULT of the text, then
// whatever the queue says.
long sys_msgsnd(Task& task, int id, const void* message, std::size_t size, int flags) {
  if (may_fail(task, FaultOp::Msgsnd)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Msgsnd,
                         .id = id,
                         .flags = static_cast<u32>(flags),
                         .size = size,
                         .message = message},
                        [&](const void* text) { return sys_msgsnd(task, id, text, size, flags); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  if (size > load_relaxed(task.cell->header().limits.msgmax) || static_cast<long>(size) < 0 ||
      id < 0) {
    long type;
    return copy_from_user(&type, message, sizeof type) != 0 ? -EFAULT : -EINVAL;
  }
  BuiltMessage built;
  if (const int error = built.build(task, message, size)) return error;
  const long result = send_message(task, id, built, flags);
  if (result != -EINTR) reap_met(task);
  return result;
}

// Linux: ipc/msg.c:do_msgrcv()
long sys_msgrcv(Task& task, int id, void* message, std::size_t size, long type, int flags) {
  if (may_fail(task, FaultOp::Msgrcv)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::Msgrcv,
                         .id = id,
                         .flags = static_cast<u32>(flags),
                         .size = size,
                         .type = type,
                         .message = message},
                        [&] { return sys_msgrcv(task, id, message, size, type, flags); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  if (id < 0 || static_cast<long>(size) < 0) return -EINVAL;
  if ((flags & kMsgCopy) != 0) {
    if ((flags & kMsgExcept) != 0 || (flags & IPC_NOWAIT) == 0) return -EINVAL;
    // Linux: ipc/msg.c:prepare_copy() reads the buffer to make a message of its size.
    const u64 msgmax = load_relaxed(task.cell->header().limits.msgmax);
    BuiltMessage copy;
    if (const int error = copy.build_untyped(task, message, size < msgmax ? size : msgmax))
      return error;
  }
  const u32 mode = search_mode(&type, flags);
  long result = receive_message(task, {id, size, type, mode, flags});
  // Taken back by a handler, which may have forked: nothing here is ours any more.
  if (result == -EINTR) return result;
  if (result == 0) result = fill_buffer(task, message, size);
  if (task.rec->in_flight != 0) free_message(task, task.rec->in_flight);
  reap_met(task);
  return result;
}

}  // namespace ipcell
