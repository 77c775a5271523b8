#include <signal.h>

#include <cerrno>

#include "core/ipc/fault.h"
#include "core/ipc/holds.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/reap.h"

namespace ipcell {

namespace {

ProcessId owner_of(const MqNotify& notify) {
  return {notify.pid, notify.start_time, notify.pid_namespace};
}

bool is_own(const Task& task, const MqNotify& notify) {
  return notify.kind != MqNotifyKind::None && is_same(owner_of(notify), process_of(task.identity));
}

// The slot may be another task's by now, or one of the program that the process runs since exec(2).
bool has_living_owner(const Cell& cell, const MqNotify& notify) {
  const TaskRec* rec = cell.task(notify.witness);
  return rec != nullptr && !is_token_dead(rec->token) && rec->image == notify.image &&
         is_same(process_of(*rec), owner_of(notify));
}

// Is there nobody any more whose registration it is?
bool is_over(const Task& task, const MqNotify& notify) {
  if (has_living_owner(*task.cell, notify)) return false;
  // The thread has ended, and maybe more.
  if (notify.kind == MqNotifyKind::Thread || notify.exec == MqNotifyExec::Closes) return true;
  // An exec(2) that nobody announced closed the descriptors: they are made so.
  if (is_own(task, notify))
    return notify.image != task.identity.image && notify.exec == MqNotifyExec::None;
  const ProcessId owner = owner_of(notify);
  // A pid of another namespace can't be asked for: its thread was the last to tell.
  if (owner.pid_namespace != task.identity.pid_namespace || owner.pid_namespace == 0) return true;
  return is_process_gone(owner);
}

// The thread that waits to be told; nullptr if there is none.
WaitNode* waiting_thread(const Task& task, const MqueueRec& queue) {
  const MqNotify& notify = queue.notify;
  if (notify.kind != MqNotifyKind::Thread || !has_living_owner(*task.cell, notify)) return nullptr;
  WaitNode& node = task.cell->task(notify.witness)->wait;
  const bool waits = node.kind == WaitKind::Notice && node.linked != 0 &&
                     node.object == task.cell->offset_of(&queue);
  return waits ? &node : nullptr;
}

// Linux: ipc/mqueue.c:__do_notify()
void send_signal(const Task& task, const MqNotify& notify) {
  siginfo_t info;
  __builtin_memset(&info, 0, sizeof info);
  info.si_signo = notify.signal;
  info.si_code = SI_MESGQ;
  info.si_pid = task.identity.pid;
  info.si_uid = static_cast<u32>(sys::call(sys::kGetuid));
  info.si_value.sival_ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(notify.value));
  // DIVERGES: another user's process is not told, see docs/compatibility.md.
  sys::call(SYS_rt_sigqueueinfo, notify.pid, notify.signal, sys::arg(&info));
}

void end_own_notify(Task& task, LockedMqueue& queue) {
  if (!is_own(task, queue->notify)) return;
  Journal journal(task);
  const u32 told = end_notify(journal, task, *queue, -ECANCELED);
  journal.commit();
  if (told != kNoSlot) queue.wakes().publish(told);
}

// In the open transaction.
void begin_notify(Journal& journal, Task& task, MqNotify& notify, MqNotifyKind kind) {
  const ProcessId own = process_of(task.identity);
  journal.set(notify.kind, kind);
  journal.set(notify.pid, own.pid);
  journal.set(notify.start_time, own.start_time);
  journal.set(notify.pid_namespace, own.pid_namespace);
  journal.set(notify.witness, task.slot);
  journal.set(notify.image, task.identity.image);
  journal.set_if_changed(notify.exec, MqNotifyExec::None);
}

// Finds the queue of a descriptor for a registration: 0, -EBADF, -EBUSY, -EIO.
long check_free(Task& task, const MqueueDescriptor& of, LockedMqueue& queue) {
  if (!queue) return -EIO;
  if (!queue.is(of.serial)) return -EBADF;
  drop_dead_notify(task, queue);
  return queue->notify.kind != MqNotifyKind::None ? -EBUSY : 0;
}

void recheck_notice(Task& task, WaitPlan&) {
  WaitNode& node = task.rec->wait;
  LockedMqueue queue(task, node.object);
  if (!queue || task.cell->is_poisoned()) node.result = -EIO;
  if (!queue || task.cell->is_poisoned() || node.linked == 0) store_release(node.word, kWaitDone);
}

}  // namespace

void drop_dead_notify(Task& task, LockedMqueue& queue) {
  if (queue->notify.kind == MqNotifyKind::None || !is_over(task, queue->notify)) return;
  Journal journal(task);
  end_notify(journal, task, *queue, -ECANCELED);
  journal.commit();
}

u32 end_notify(Journal& journal, Task& task, MqueueRec& queue, i64 result) {
  WaitNode* const node = waiting_thread(task, queue);
  const u32 slot = queue.notify.witness;
  journal.set(queue.notify.kind, MqNotifyKind::None);
  if (node == nullptr) return kNoSlot;
  journal.set(node->result, result);
  journal.set(node->linked, 0u);
  return slot;
}

u32 note_arrival(Journal& journal, Task& task, MqueueRec& queue) {
  const MqNotify& notify = queue.notify;
  const bool is_here =
      notify.pid_namespace == task.identity.pid_namespace && notify.pid_namespace != 0;
  const bool is_silent =
      notify.exec == MqNotifyExec::Silences && !has_living_owner(*task.cell, notify);
  if (notify.kind == MqNotifyKind::Signal && is_here && !is_silent && !is_over(task, notify))
    send_signal(task, notify);
  return end_notify(journal, task, queue, 0);
}

void leave_notice(Journal& journal, Task& task, MqueueRec& queue, u32 slot) {
  if (queue.notify.kind == MqNotifyKind::Thread && queue.notify.witness == slot)
    journal.set(queue.notify.kind, MqNotifyKind::None);
  journal.set(task.cell->task(slot)->wait.linked, 0u);
}

// Linux: ipc/mqueue.c:do_mq_notify()
long sys_mq_notify(Task& task, const MqueueDescriptor& of, const struct sigevent* event) {
  if (may_fail(task, FaultOp::MqNotify)) [[unlikely]] {
    return fail_or_call(task,
                        {.op = FaultOp::MqNotify, .number = event != nullptr ? 1 : 0, .queue = &of},
                        [&] { return sys_mq_notify(task, of, event); });
  }
  const Critical critical(task);
  if (const int error = leave_outer_wait(task)) return error;
  if (task.cell->is_poisoned()) return -EIO;
  constexpr int kSignals = 64;
  if (event != nullptr) {
    if (event->sigev_notify != SIGEV_NONE && event->sigev_notify != SIGEV_SIGNAL) return -EINVAL;
    if (event->sigev_notify == SIGEV_SIGNAL &&
        (event->sigev_signo < 0 || event->sigev_signo > kSignals)) {
      return -EINVAL;
    }
  }
  if (of.queue == 0) return -EBADF;
  LockedMqueue queue(task, of.queue);
  if (event == nullptr) {
    if (!queue) return -EIO;
    if (!queue.is(of.serial)) return -EBADF;
    if (!is_own(task, queue->notify)) return 0;
    end_own_notify(task, queue);
  } else if (const long error = check_free(task, of, queue)) {
    return error;
  }
  Journal journal(task);
  if (event != nullptr) {
    const bool is_signal = event->sigev_notify == SIGEV_SIGNAL;
    begin_notify(journal, task, queue->notify,
                 is_signal ? MqNotifyKind::Signal : MqNotifyKind::Nothing);
    journal.set(queue->notify.signal, is_signal ? event->sigev_signo : 0);
    journal.set(queue->notify.value,
                static_cast<u64>(reinterpret_cast<std::uintptr_t>(event->sigev_value.sival_ptr)));
  }
  touch_mqueue_state(journal, *queue, now(task));
  journal.commit();
  return 0;
}

long sys_mq_notify_thread(Task& task, const MqueueDescriptor& of,
                          void (*report)(void* context, long error), void* context) {
  const Critical critical(task);
  long error = leave_outer_wait(task);
  if (error == 0 && task.cell->is_poisoned()) error = -EIO;
  if (error == 0 && of.queue == 0) error = -EBADF;
  WaitNode& node = task.rec->wait;
  if (error == 0) {
    LockedMqueue queue(task, of.queue);
    error = check_free(task, of, queue);
    if (error == 0) {
      node.kind = WaitKind::Notice;
      node.object = of.queue;
      node.message = 0;
      node.result = kWaitPending;
      begin_wait(task);
      Journal journal(task);
      begin_notify(journal, task, queue->notify, MqNotifyKind::Thread);
      journal.set(queue->notify.signal, 0);
      journal.set(node.linked, 1u);
      touch_mqueue_state(journal, *queue, now(task));
      journal.commit();
    }
  }
  report(context, error);
  if (error != 0) return error;
  WaitPlan plan;
  plan.recheck = recheck_notice;
  if (sleep_until_done(task, plan) != WaitEnd::Done) return 0;
  return node.result == 0 ? 1 : 0;
}

void sys_mq_flush(Task& task, u64 offset, u64 serial) {
  const Critical critical(task);
  if (leave_outer_wait(task) != 0 || task.cell->is_poisoned()) return;
  LockedMqueue queue(task, offset);
  if (queue && queue.is(serial)) end_own_notify(task, queue);
}

bool sys_mq_is_registered(Task& task) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned() || load_acquire(mqueue_table(cell).count) == 0) return false;
  bool is_registered = false;
  Locked locked(task, mqueue_table(cell).lock);
  for_each_mqueue_locked(cell, [&](u64 offset, const MqueueRec&) {
    LockedMqueue queue(task, offset);
    is_registered = queue && is_own(task, queue->notify);
    return !is_registered;
  });
  return is_registered;
}

void sys_mq_mark_exec(Task& task, bool (*closes)(u64 inode)) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (cell.is_poisoned() || load_acquire(mqueue_table(cell).count) == 0) return;
  Locked locked(task, mqueue_table(cell).lock);
  for_each_mqueue_locked(cell, [&](u64 offset, const MqueueRec&) {
    LockedMqueue queue(task, offset);
    if (!queue) return true;
    // One that an earlier exec(2) of this process has ended would come to life again.
    drop_dead_notify(task, queue);
    if (!is_own(task, queue->notify)) return true;
    MqNotifyExec wanted = MqNotifyExec::None;
    if (closes != nullptr)
      wanted = closes(queue->inode) ? MqNotifyExec::Closes : MqNotifyExec::Silences;
    Journal journal(task);
    journal.set_if_changed(queue->notify.exec, wanted);
    // Whoever calls exec(2) is the one whose token tells; but for a thread that waits.
    if (queue->notify.kind != MqNotifyKind::Thread)
      journal.set_if_changed(queue->notify.witness, task.slot);
    journal.commit();
    return true;
  });
}

}  // namespace ipcell
