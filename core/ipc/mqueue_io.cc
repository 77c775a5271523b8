#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

#include <cerrno>

#include "core/base/clock.h"
#include "core/base/usercopy.h"
#include "core/ipc/fault.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/reap.h"

namespace ipcell {

namespace {

constexpr i64 kSecond = 1000000000;

// --------------------------------------------------------------------------- deadlines

// When a call gives up. Nanoseconds of CLOCK_REALTIME.
struct Deadline {
  bool is_set = false;
  i64 realtime_ns = 0;

  // 0, -EFAULT, -EINVAL. Linux: ipc/mqueue.c:prepare_timeout()
  int read(UserTime from) {
    if (!from) return 0;
    KernelTimespec time;
    if (from.read(&time) != 0) return -EFAULT;
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= kSecond) return -EINVAL;
    is_set = true;
    // Linux: timespec64_to_ktime() ends where an i64 does.
    constexpr i64 kLast = 0x7fffffffffffffff;
    realtime_ns =
        time.seconds >= kLast / kSecond ? kLast : time.seconds * kSecond + time.nanoseconds;
    return 0;
  }
  // Nanoseconds that are left.
  i64 left() const { return realtime_ns - nanoseconds_of(CLOCK_REALTIME); }
  bool has_passed() const { return is_set && left() <= 0; }
};

// --------------------------------------------------------------------------- sleepers

// Of a sleeper that was alone when it came: nobody has asked yet.
constexpr i64 kPriorityUnknown = 1000;
constexpr i64 kOrdinaryPriority = 120;

// Linux: task_struct::prio of the thread: 0 to 98 for real-time tasks, 100 to 139 by nice values.
i64 scheduling_priority(i32 tid) {
  constexpr long kPolicyMask = ~0x40000000l;  // SCHED_RESET_ON_FORK
  constexpr long kSchedDeadline = 6;
  const long policy = sys::call(SYS_sched_getscheduler, tid) & kPolicyMask;
  if (policy == kSchedDeadline) return -1;
  if (policy == SCHED_FIFO || policy == SCHED_RR) {
    int priority = 0;
    if (sys::call(SYS_sched_getparam, tid, sys::arg(&priority)) == 0) return 99 - priority;
  }
  // getpriority(2) gives 20 - nice.
  const long nice = sys::call(SYS_getpriority, PRIO_PROCESS, tid);
  return nice > 0 ? 140 - nice : kOrdinaryPriority;
}

// A sleeper's, as it is when first somebody stands behind it.
void learn_priority(Journal& journal, const Task& task, TaskRec& sleeper) {
  if (sleeper.wait.type != kPriorityUnknown) return;
  const bool is_here = sleeper.pid_namespace == task.identity.pid_namespace;
  journal.set(sleeper.wait.type, is_here ? scheduling_priority(sleeper.tid) : kOrdinaryPriority);
}

WaitList& list_of(MqueueRec& queue, const WaitNode& node) {
  return node.kind == WaitKind::Sender ? queue.senders : queue.receivers;
}

bool leave_queue(Journal& journal, Task& task, MqueueRec& queue, const WaitNode& node, u32 slot) {
  if (node.kind != WaitKind::Notice)
    return unlink_waiter(journal, *task.cell, list_of(queue, node), slot);
  leave_notice(journal, task, queue, slot);
  return true;
}

// The first sleeper of a lower priority, before whom one of this is put; kNoSlot: to the end.
u32 find_lower(Journal& journal, const Task& task, const WaitList& list, i64 priority) {
  u32 slot = list.first;
  for (u32 steps = 0; slot != kNoSlot; ++steps) {
    TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) break;
    // Only the first was ever alone.
    if (steps == 0) learn_priority(journal, task, *rec);
    if (rec->wait.type > priority) break;
    slot = rec->wait.next;
  }
  return slot;
}

// Linux: ipc/mqueue.c:wq_add(). Commits.
void enqueue_self(Task& task, Journal& journal, MqueueRec& queue, WaitKind kind) {
  WaitNode& node = task.rec->wait;
  WaitList& list = kind == WaitKind::Sender ? queue.senders : queue.receivers;
  node.kind = kind;
  node.object = task.cell->offset_of(&queue);
  node.type = list.first == kNoSlot ? kPriorityUnknown : scheduling_priority(0);
  node.result = kWaitPending;
  begin_wait(task);
  const u32 lower = find_lower(journal, task, list, node.type);
  link_waiter_before(journal, *task.cell, list, task.slot, lower);
  journal.commit();
}

struct MqWaitPlan : WaitPlan {
  Deadline deadline;
};

// The realtime clock may have been set meanwhile.
void renew_deadline(MqWaitPlan& plan) {
  if (!plan.deadline.is_set) return;
  const i64 left = plan.deadline.left();
  const i64 now = monotonic_nanoseconds();
  constexpr i64 kFar = 1ll << 60;
  plan.deadline_ns = now + (left < kFar ? left : kFar);
}

// The usual wake-up was published. This is for the one that was not: its waker died first.
void recheck_wait(Task& task, WaitPlan& plan) {
  renew_deadline(static_cast<MqWaitPlan&>(plan));
  WaitNode& node = task.rec->wait;
  LockedMqueue queue(task, node.object);
  if (!queue || task.cell->is_poisoned()) {
    node.result = -EIO;
    store_release(node.word, kWaitDone);
  } else if (node.linked == 0) {
    store_release(node.word, kWaitDone);
  }
}

bool expire_wait(Task& task) { return cancel_mqueue_wait(task); }

// Sleeps until a waker has finished the operation. Its result, -EINTR or -ETIMEDOUT.
i64 wait_for_result(Task& task, const Deadline& deadline) {
  MqWaitPlan plan;
  plan.recheck = recheck_wait;
  plan.expire = expire_wait;
  plan.deadline = deadline;
  renew_deadline(plan);
  switch (sleep_until_done(task, plan)) {
    case WaitEnd::Interrupted: return -EINTR;
    case WaitEnd::Expired: return -ETIMEDOUT;
    default: return task.rec->wait.result;
  }
}

// What a call that can't go on at once does. 0: it sleeps.
int may_sleep(const MqueueRec& queue, const MqueueDescriptor& descriptor,
              const Deadline& deadline) {
  const int nonblocking = is_nonblocking(queue, descriptor);
  if (nonblocking != 0) return nonblocking < 0 ? nonblocking : -EAGAIN;
  return deadline.has_passed() ? -ETIMEDOUT : 0;
}

// --------------------------------------------------------------------------- mq_timedsend

// Linux: ipc/mqueue.c:pipelined_send(). Commits.
void hand_over(Task& task, Journal& journal, MqueueRec& queue, u64 offset, u32 taker,
               WakeList& wakes) {
  TaskRec& receiver = *task.cell->task(taker);
  if (!unlink_waiter(journal, *task.cell, queue.receivers, taker)) {
    give_up(task, kBrokenWaiters);
    return;
  }
  journal.set(receiver.wait.result, 0);
  journal.set(receiver.wait.message, offset);
  journal.commit();
  wakes.publish(taker);
}

// Puts the message into the queue, which has room. Commits. 0, -ENOMEM, -EIO.
int enqueue_message(Task& task, LockedMqueue& queue, BuiltMessage& built, int fd) {
  const u32 priority = static_cast<u32>(built.message().type);
  ReservedBlock run;
  if (wants_run(*task.cell, *queue, priority)) {
    if (const int error = run.reserve(task, BlockClass::MqRun)) return error;
  }
  const bool is_watched = queue->watched != 0;
  const u32 messages = mq_messages(queue->load);
  if (is_watched) [[unlikely]]
    show_mqueue_before(*queue, fd, messages + 1);
  Journal journal(task);
  built.take(journal, task);
  touch_mqueue(journal, *queue, now(task));
  u32 told = kNoSlot;
  if (messages == 0 && queue->notify.kind != MqNotifyKind::None) [[unlikely]]
    told = note_arrival(journal, task, *queue);
  if (!insert_message(journal, task, *queue, built.offset(), built.message(), run)) {
    roll_back_journal(*task.cell, *task.rec);
    return -EIO;
  }
  journal.commit();
  if (told != kNoSlot) [[unlikely]]
    queue.wakes().publish(told);
  if (is_watched) [[unlikely]]
    show_mqueue_after(*queue, fd, messages);
  return 0;
}

// One try: 0 or -errno if it is over, kWaitPending if the task is now queued as a sender.
i64 try_send(Task& task, const MqueueDescriptor& to, BuiltMessage& built,
             const Deadline& deadline) {
  LockedMqueue queue(task, to.queue);
  if (!queue) return -EIO;
  if (!queue.is(to.serial)) return -EBADF;
  if (mq_messages(queue->load) >= queue->max_messages) {
    if (const int error = may_sleep(*queue, to, deadline)) return error;
    Journal journal(task);
    built.take(journal, task);
    journal.set(task.rec->wait.message, built.offset());
    enqueue_self(task, journal, *queue, WaitKind::Sender);
    return kWaitPending;
  }
  if (queue->receivers.first != kNoSlot) {
    const u32 taker = find_sleeper(task, queue->receivers);
    if (taker != kNoSlot) {
      Journal journal(task);
      built.take(journal, task);
      touch_mqueue(journal, *queue, now(task));
      hand_over(task, journal, *queue, built.offset(), taker, queue.wakes());
      return 0;
    }
  }
  return enqueue_message(task, queue, built, to.fd);
}

long send_message(Task& task, const MqueueDescriptor& to, BuiltMessage& built,
                  const Deadline& deadline) {
  for (;;) {
    i64 result = try_send(task, to, built, deadline);
    if (result == 0) [[likely]]
      return 0;
    if (result != kWaitPending) {
      built.discard(task);
      return static_cast<long>(result);
    }
    result = wait_for_result(task, deadline);
    // Taken back: nothing here is ours any more.
    if (result == -EINTR || result == -ETIMEDOUT || result == 0) return static_cast<long>(result);
    built.adopt_from_wait(task);
    if (result != kWaitRetry) {
      built.discard(task);
      return static_cast<long>(result);
    }
  }
}

// --------------------------------------------------------------------------- mq_timedreceive

// Sends a blocked sender's message for it, in the transaction that makes room for it. Linux:
// ipc/mqueue.c:pipelined_receive(). False if the cell is damaged.
bool admit(Journal& journal, Task& task, MqueueRec& queue, u32 slot, const ReservedBlock& run) {
  WaitNode& node = task.cell->task(slot)->wait;
  MsgBlock* message = task.cell->at<MsgBlock>(node.message);
  if (message == nullptr || !unlink_waiter(journal, *task.cell, queue.senders, slot)) return false;
  const u64 offset = node.message;
  journal.set(node.result, 0);
  journal.set(node.message, 0);
  return insert_message(journal, task, queue, offset, *message, run);
}

// A message that was received, and is no more in the cell: copied out under the lock, for that
// costs less than to keep it until it is free. Not at once to the program, whose memory may have to
// come from a disk.
struct Received {
  static constexpr u64 kRoom = 256;
  bool is_copied = false;
  u32 priority;
  u64 size;
  u8 text[kRoom];
};

// Copies the next message and frees it, in the open transaction. False if it is too large for that.
IPCELL_ALWAYS_INLINE bool copy_and_free(Journal& journal, Task& task, u64 offset,
                                        Received& received) {
  MsgBlock* const found = task.cell->at<MsgBlock>(offset);
  if (found == nullptr) [[unlikely]]
    return false;
  MsgBlock& message = *found;
  const u64 size = load_relaxed(message.size);
  const u32 class_index = static_cast<u32>(class_of_block(*task.cell, offset));
  if (size > Received::kRoom || class_index >= kBlockClasses) return false;
  received.is_copied = true;
  received.priority = static_cast<u32>(message.type);
  received.size = size;
  __builtin_memcpy(received.text, message.text(), static_cast<std::size_t>(size));
  free_in_transaction(journal, task, offset, class_index);
  return true;
}

// Takes the next message out: into `received`, or the task's in_flight. 0 or -EIO.
int take_message(Task& task, LockedMqueue& queue, int fd, Received& received) {
  const u32 messages = mq_messages(queue->load);
  const u32 sender = queue->senders.first != kNoSlot ? find_sleeper(task, queue->senders) : kNoSlot;
  ReservedBlock run;
  // Without a node the sender can only be told to try by itself.
  const bool can_admit = sender != kNoSlot && run.reserve(task, BlockClass::MqRun) == 0;
  const bool is_watched = queue->watched != 0;
  if (is_watched && !can_admit) show_mqueue_before(*queue, fd, messages - 1);
  Journal journal(task);
  const u64 offset = remove_message(journal, task, *queue);
  bool is_whole = offset != 0;
  if (is_whole) {
    if (!copy_and_free(journal, task, offset, received)) journal.set(task.rec->in_flight, offset);
    touch_mqueue(journal, *queue, now(task));
    if (can_admit) {
      is_whole = admit(journal, task, *queue, sender, run);
    } else if (sender != kNoSlot) {
      is_whole = unlink_waiter(journal, *task.cell, queue->senders, sender);
      journal.set(task.cell->task(sender)->wait.result, kWaitRetry);
    }
  }
  if (!is_whole) {
    give_up(task, "a message queue is broken");
    return -EIO;
  }
  journal.commit();
  if (sender != kNoSlot) queue.wakes().publish(sender);
  if (is_watched && !can_admit) show_mqueue_after(*queue, fd, messages);
  return 0;
}

// One try: 0 (the message is in in_flight) or -errno if it is over, kWaitPending if queued.
i64 try_receive(Task& task, const MqueueDescriptor& from, const Deadline& deadline,
                Received& received) {
  LockedMqueue queue(task, from.queue);
  if (!queue) return -EIO;
  if (!queue.is(from.serial)) return -EBADF;
  if (queue->top_first != 0) [[likely]]
    return take_message(task, queue, from.fd, received);
  if (const int error = may_sleep(*queue, from, deadline)) return error;
  task.rec->wait.message = 0;
  Journal journal(task);
  enqueue_self(task, journal, *queue, WaitKind::Receiver);
  return kWaitPending;
}

long receive_message(Task& task, const MqueueDescriptor& from, const Deadline& deadline,
                     Received& received) {
  i64 result = try_receive(task, from, deadline, received);
  if (result != kWaitPending) [[likely]]
    return static_cast<long>(result);
  result = wait_for_result(task, deadline);
  if (result == 0) BuiltMessage().adopt_from_wait(task);
  return static_cast<long>(result);
}

// A message that can't be given out is lost, as in the kernel.
long give_out(const Received& received, char* text, u64 room, u32* priority) {
  if (received.size > room) [[unlikely]]
    return -EIO;
  if (priority != nullptr &&
      copy_to_user(priority, &received.priority, sizeof received.priority) != 0) {
    return -EFAULT;
  }
  if (copy_to_user(text, received.text, static_cast<std::size_t>(received.size)) != 0)
    return -EFAULT;
  return static_cast<long>(received.size);
}

long fill_buffer(Task& task, char* text, u64 room, u32* priority) {
  MsgBlock* message = task.cell->at<MsgBlock>(task.rec->in_flight);
  if (message == nullptr) return task.cell->poison("a message is outside of the heap");
  const u32 its_priority = static_cast<u32>(message->type);
  if (priority != nullptr && copy_to_user(priority, &its_priority, sizeof its_priority) != 0)
    return -EFAULT;
  const u64 size = load_relaxed(message->size);
  if (size > room) return task.cell->poison("a message is larger than its queue allows");
  if (size != 0 && store_message(task, *message, text, size) != 0) return -EFAULT;
  return static_cast<long>(size);
}

}  // namespace

u32 find_sleeper(Task& task, const WaitList& list) {
  u32 slot = list.first;
  for (u32 steps = 0; slot != kNoSlot; ++steps) {
    const TaskRec* rec = waiter_at(*task.cell, slot, steps);
    if (rec == nullptr) return kNoSlot;
    if (!is_token_dead(rec->token)) return slot;
    task.dead_seen = slot;
    slot = rec->wait.next;
  }
  return kNoSlot;
}

bool cancel_mqueue_wait(Task& task) {
  WaitNode& node = task.rec->wait;
  {
    LockedMqueue queue(task, node.object);
    if (!queue) node.result = -EIO;
    if (!queue || node.linked == 0) {
      store_release(node.word, kWaitDone);
      return false;
    }
    Journal journal(task);
    if (!leave_queue(journal, task, *queue, node, task.slot)) {
      give_up(task, kBrokenWaiters);
      node.result = -EIO;
      store_release(node.word, kWaitDone);
      return false;
    }
    journal.set(node.result, -EINTR);
    journal.commit();
    store_release(node.word, kWaitIdle);
  }
  if (node.message != 0) free_message(task, node.message);
  return true;
}

void reap_mqueue_wait(Task& reaper, TaskRec& dead, u32 dead_slot) {
  LockedMqueue queue(reaper, dead.wait.object);
  if (!queue || dead.wait.linked == 0) return;
  Journal journal(reaper);
  if (!leave_queue(journal, reaper, *queue, dead.wait, dead_slot)) {
    give_up(reaper, kBrokenWaiters);
    return;
  }
  journal.commit();
}

// Linux: ipc/mqueue.c:do_mq_timedsend(): the deadline, the priority, the descriptor, the size, the
// text, then what the queue says.
long sys_mq_timedsend(Task& task, const MqueueDescriptor& to, const char* text, std::size_t size,
                      u32 priority, UserTime deadline) {
  if (may_fail(task, FaultOp::MqSend, FaultOp::MqTimedsend)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = deadline ? FaultOp::MqTimedsend : FaultOp::MqSend,
                         .size = size,
                         .priority = priority,
                         .message = text,
                         .queue = &to,
                         .timeout = &deadline},
                        [&](const void* sent) {
                          return sys_mq_timedsend(task, to, static_cast<const char*>(sent), size,
                                                  priority, deadline);
                        });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  Deadline until;
  if (const int error = until.read(deadline)) return error;
  if (priority >= kMqPriorities) return -EINVAL;
  if (to.queue == 0 || (to.access != O_WRONLY && to.access != O_RDWR)) return -EBADF;
  if (size > to.max_size) return -EMSGSIZE;
  BuiltMessage built;
  if (const int error = built.build_text(task, static_cast<i64>(priority), text, size))
    return error;
  const long result = send_message(task, to, built, until);
  if (result == -EINTR) return result;
  reap_met(task);
  return result;
}

// Linux: ipc/mqueue.c:do_mq_timedreceive()
long sys_mq_timedreceive(Task& task, const MqueueDescriptor& from, char* text, std::size_t size,
                         u32* priority, UserTime deadline) {
  if (may_fail(task, FaultOp::MqReceive, FaultOp::MqTimedreceive)) [[unlikely]] {
    return fail_or_call(
        task,
        {.op = deadline ? FaultOp::MqTimedreceive : FaultOp::MqReceive,
         .size = size,
         .message = text,
         .queue = &from,
         .timeout = &deadline},
        [&] { return sys_mq_timedreceive(task, from, text, size, priority, deadline); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  Deadline until;
  if (const int error = until.read(deadline)) return error;
  if (from.queue == 0 || (from.access != O_RDONLY && from.access != O_RDWR)) return -EBADF;
  if (size < from.max_size) return -EMSGSIZE;
  Received received;
  long result = receive_message(task, from, until, received);
  // Taken back by a handler, which may have forked: nothing here is ours any more.
  if (result == -EINTR) return result;
  if (received.is_copied) [[likely]] {
    trim_caches(task);
    result = give_out(received, text, size, priority);
  } else if (result == 0) {
    result = fill_buffer(task, text, size, priority);
  }
  if (task.rec->in_flight != 0) free_message(task, task.rec->in_flight);
  if (task.rec->loose != 0) [[unlikely]]
    free_block(task, task.rec->loose);
  reap_met(task);
  return result;
}

}  // namespace ipcell
