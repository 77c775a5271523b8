#include "interpose/deferred.h"

#include <string.h>

#include "core/base/sys.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"
#include "interpose/signals.h"
#include "interpose/signals_blocked.h"

namespace ipcell {

namespace {

// The signal that came in a critical section; one is enough, since its return blocks all others.
struct Deferred {
  int signal;
  siginfo_t info;
  u64 mask;  // the thread's own mask, put back when the signal is given again
};
thread_local Deferred t_deferred;

// Real-time signals that were sent again and have not yet come, of each number in their order. Each
// has a mark, which is what the kernel's queue has of it.
struct Resent {
  int signal;
  siginfo_t info;
  siginfo_t mark;
  bool is_queued;  // else the kernel had no room for the mark
};
constexpr u32 kMaxResent = 6;
struct ResentList {
  u32 count;
  u32 empties;  // signals that tell nothing, and may still come
  Resent items[kMaxResent];
};
thread_local ResentList t_resent;

constexpr int kFirstRealTime = 32;

// Those of one signal, the first to come first.
struct ResentOrder {
  explicit ResentOrder(int signal) {
    for (u32 n = 0; n < t_resent.count; ++n) {
      if (t_resent.items[n].signal == signal) items[count++] = t_resent.items + n;
    }
  }
  // The first one's information, which the others move up to, as far as `last`.
  siginfo_t take_first(u32 last) const {
    const siginfo_t due = items[0]->info;
    for (u32 n = 0; n < last; ++n) items[n]->info = items[n + 1]->info;
    return due;
  }

  u32 count = 0;
  Resent* items[kMaxResent];
};

void remove_resent(const Resent* item) {
  ResentList& list = t_resent;
  const auto index = static_cast<u32>(item - list.items);
  --list.count;
  memmove(list.items + index, item + 1, (list.count - index) * sizeof(Resent));
}

// The kernel tells of a signal alone where it had no room for what came with it.
bool has_lost_information(const siginfo_t& info) {
  return info.si_code == SI_USER && info.si_pid == 0 && info.si_uid == 0;
}

// Whose mark it is that came; the count if it is none.
u32 find_mark(const ResentOrder& order, const siginfo_t& info) {
  const bool is_lost = has_lost_information(info);
  for (u32 n = 0; n < order.count; ++n) {
    const Resent& item = *order.items[n];
    if (is_lost ? !item.is_queued : memcmp(&item.mark, &info, sizeof info) == 0) return n;
  }
  return order.count;
}

// True if it is queued. If there are too many (RLIMIT_SIGPENDING) a signal that tells nothing makes
// sure that one comes. It may be one too many: others come, or by now there was room for it as
// well.
bool queue_to_self(int signal, const siginfo_t& info) {
  const long pid = sys::call(SYS_getpid);
  const long tid = sys::call(SYS_gettid);
  if (sys::call(SYS_rt_tgsigqueueinfo, pid, tid, signal, sys::arg(&info)) == 0) return true;
  siginfo_t empty = {};
  empty.si_signo = signal;
  ++t_resent.empties;
  sys::call(SYS_rt_tgsigqueueinfo, pid, tid, signal, sys::arg(&empty));
  return false;
}

void send_to_self(int signal, const siginfo_t& info) {
  const bool is_queued = queue_to_self(signal, info);
  ResentList& list = t_resent;
  // Others are told of once. Without room it comes when it comes.
  if (signal < kFirstRealTime || list.count == kMaxResent) return;
  memmove(list.items + 1, list.items, list.count * sizeof(Resent));
  list.items[0] = {signal, info, info, is_queued};
  ++list.count;
}

}  // namespace

void defer(Task& task, int signal, const siginfo_t& info, ucontext_t& context) {
  if (task.deferred != 0 && is_kept(signal)) {
    leave_pending(signal, info, context);
    return;
  }
  // From here on, and not only when the handler has returned: another one would put off its own
  // signal in the midst of this.
  SignalsBlocked blocked;
  blocked.block();
  u64 mask;
  memcpy(&mask, &context.uc_sigmask, kMaskSize);
  u64 own_mask = mask;
  if (task.deferred != 0) {
    // One was put off already: by a handler that this one's own core call let in, or by one that
    // had not yet returned when this one came. It stays pending. The mask to come back to is that
    // of the outer of the two, in which less is blocked.
    own_mask &= t_deferred.mask;
    send_to_self(t_deferred.signal, t_deferred.info);
  }
  t_deferred = {signal, info, own_mask};
  // A copy may still fault.
  mask |= ~kept_signals();
  memcpy(&context.uc_sigmask, &mask, kMaskSize);
  task.deferred = 1;
}

void block_after_deferral(int signal) { t_deferred.mask |= signal_bit(signal); }

bool restore_order(int signal, siginfo_t* info) {
  ResentList& list = t_resent;
  if ((list.count | list.empties) == 0 || signal < kFirstRealTime) [[likely]]
    return true;
  // Another one's handler would meet the list half changed.
  const WithoutSignals blocked;
  const ResentOrder order(signal);
  const u32 came = find_mark(order, *info);
  if (list.empties != 0 && has_lost_information(*info)) {
    --list.empties;
    if (came == order.count) return false;
  }
  if (order.count == 0) return true;
  if (came < order.count) {
    *info = order.take_first(came);
    remove_resent(order.items[came]);
  } else {
    // It takes its place behind the others.
    const siginfo_t due = order.take_first(order.count - 1);
    order.items[order.count - 1]->info = *info;
    *info = due;
  }
  // There may be room by now.
  const ResentOrder left(signal);
  for (u32 n = 0; n < left.count; ++n) {
    if (!left.items[n]->is_queued)
      left.items[n]->is_queued = queue_to_self(signal, left.items[n]->mark);
  }
  return true;
}

void deliver_deferred_signal(Task& task) {
  task.deferred = 0;
  const Deferred deferred = t_deferred;
  note_kernel_mask(deferred.mask);
  // Pending first, then unblocked: the handler runs as from the kernel, at the return of this call.
  send_to_self(deferred.signal, deferred.info);
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&deferred.mask), 0, kMaskSize);
}

}  // namespace ipcell
