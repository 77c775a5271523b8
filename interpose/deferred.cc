#include "interpose/deferred.h"

#include <string.h>

#include "core/base/sys.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

// The signal that came in a critical section; one is enough, since its return blocks all others.
struct Deferred {
  int signal;
  siginfo_t info;
  u64 mask;  // the thread's own mask, put back when the signal is given again
};
thread_local Deferred t_deferred;

void send_to_self(int signal, const siginfo_t& info) {
  sys::call(SYS_rt_tgsigqueueinfo, sys::call(SYS_getpid), sys::call(SYS_gettid), signal,
            sys::arg(&info));
}

}  // namespace

void defer(Task& task, int signal, const siginfo_t& info, ucontext_t& context) {
  if (task.deferred != 0) {
    // Only kept ones come while another one is put off, or this one's own core call has put off one
    // before.
    if (is_kept(signal)) {
      leave_pending(signal, info, context);
      return;
    }
    // That stays pending, since all are blocked from here on; the mask to come back to is that of
    // this frame, the outer one.
    send_to_self(t_deferred.signal, t_deferred.info);
  }
  u64 mask;
  memcpy(&mask, &context.uc_sigmask, kMaskSize);
  t_deferred = {signal, info, mask};
  // A copy may still fault.
  mask |= ~kept_signals();
  memcpy(&context.uc_sigmask, &mask, kMaskSize);
  task.deferred = 1;
}

void block_after_deferral(int signal) { t_deferred.mask |= signal_bit(signal); }

void deliver_deferred_signal(Task& task) {
  task.deferred = 0;
  const Deferred deferred = t_deferred;
  note_kernel_mask(deferred.mask);
  // Pending first, then unblocked: the handler runs as from the kernel, at the return of this call.
  send_to_self(deferred.signal, deferred.info);
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&deferred.mask), 0, kMaskSize);
}

}  // namespace ipcell
