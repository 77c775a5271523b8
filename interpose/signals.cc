#include "interpose/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "core/base/sys.h"
#include "interpose/cancel.h"
#include "interpose/deferred.h"
#include "interpose/process.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"

namespace ipcell {

namespace {

// See take_restart().
thread_local bool t_restarts;

// A handler that interrupts an exec(3) may jump out of it: it would never be over. DIVERGES: with
// attachments of several namespaces, those of the others.
class OutsideOfExec {
 public:
  OutsideOfExec() {
    const Task* task = task_if_any();
    if (task == nullptr || load_relaxed(task->rec->is_execing) == 0) return;
    execing_ = &task->rec->is_execing;
    store_relaxed(*execing_, 0u);
  }
  ~OutsideOfExec() {
    // The handler may have forked: in the child it is another task's.
    const Task* task = task_if_any();
    if (task != nullptr && execing_ == &task->rec->is_execing) store_relaxed(*execing_, 1u);
  }
  OutsideOfExec(const OutsideOfExec&) = delete;
  OutsideOfExec& operator=(const OutsideOfExec&) = delete;

 private:
  u32* execing_ = nullptr;
};

// It is in the thread's own namespace, wherever the call works that it interrupts.
class AtHome {
 public:
  AtHome() : before_(has_several_cells() ? go_to_cell(kNoCell) : kNoCell) {
    if (before_ == home_of_thread()) before_ = kNoCell;
  }
  ~AtHome() {
    if (before_ == kNoCell) [[likely]]
      return;
    // The handler may have moved the thread.
    if (current_task() != nullptr) go_to_cell(before_);
  }
  AtHome(const AtHome&) = delete;
  AtHome& operator=(const AtHome&) = delete;

 private:
  u32 before_;
};

// Its calls are its own: the rules of the call that it interrupts have nothing to do with them.
class OutsideOfCall {
 public:
  OutsideOfCall() : task_(task_if_any()), watch_(task_ != nullptr ? task_->watch : nullptr) {
    if (watch_ != nullptr) [[unlikely]]
      task_->watch = nullptr;
  }
  ~OutsideOfCall() {
    if (watch_ != nullptr) [[unlikely]]
      task_->watch = watch_;
  }
  OutsideOfCall(const OutsideOfCall&) = delete;
  OutsideOfCall& operator=(const OutsideOfCall&) = delete;

 private:
  Task* task_;
  CallWatch* watch_;
};

// The stack of the innermost handler begins here.
thread_local const char* t_handler = nullptr;

class InHandler {
 public:
  InHandler() : outer_(t_handler) { t_handler = reinterpret_cast<const char*>(this); }
  ~InHandler() { t_handler = outer_; }
  InHandler(const InHandler&) = delete;
  InHandler& operator=(const InHandler&) = delete;

 private:
  const char* outer_;
};

// What the handler's action blocks while it runs.
u64 blocked_by(int signal, const struct sigaction& action) {
  u64 set;
  memcpy(&set, &action.sa_mask, sizeof set);
  return (action.sa_flags & SA_NODEFER) == 0 ? set | signal_bit(signal) : set;
}

void call_program(int signal, siginfo_t* info, ucontext_t& context) {
  const struct sigaction action = program_action(signal);
  if (!has_handler(action)) return;
  // The kernel does this before the handler; it is not told of the flag, since a signal that is put
  // off is delivered twice.
  if ((action.sa_flags & SA_RESETHAND) != 0) reset_action(signal);
  const OutsideOfExec outside;
  const OutsideOfCall outside_of_call;
  const AtHome at_home;
  const InHandler in_handler;
  const HandlerMask mask(context, blocked_by(signal, action));
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, &context);
  } else {
    action.sa_handler(signal);
  }
}

// True if a handler may run now; else the signal was put off.
bool may_run(int signal, siginfo_t* info, ucontext_t& context) {
  Task* task = task_if_any();
  if (task == nullptr) return true;
  if (task->critical == 0 && (task->wait_frame == nullptr || interrupt_wait(*task))) return true;
  defer(*task, signal, *info, context);
  return false;
}

// A signal that somebody sent to a thread that has not blocked it.
void deliver(int signal, siginfo_t* info, ucontext_t& context) {
  const int saved_errno = errno;
  // A blocked call may have asynchronous cancellation on; neither the core nor a handler can have
  // it.
  const Task* task = task_if_any();
  const bool is_in_wait = task != nullptr && task->wait_frame != nullptr;
  // libc's own handler, which cancels, looks at the type.
  const bool is_libcs = (signal_bit(signal) & kLibcSignals) != 0;
  // Read before: the handler may install another.
  const bool restarts = (program_action(signal).sa_flags & SA_RESTART) != 0;
  int cancel_type = PTHREAD_CANCEL_DEFERRED;
  if (is_in_wait && !is_libcs) set_cancel_type(PTHREAD_CANCEL_DEFERRED, &cancel_type);
  if (may_run(signal, info, context)) {
    errno = saved_errno;
    call_program(signal, info, context);
    if (is_in_wait) t_restarts = restarts;
  }
  if (is_in_wait && !is_libcs) set_cancel_type(cancel_type, nullptr);
}

// Ends the program as if nobody had handled the signal: a fault comes again by itself, one that
// somebody sent must be sent again.
void take_default(int signal, const siginfo_t* info, bool is_forced) {
  restore_default(signal);
  if (!is_forced) {
    sys::call(SYS_rt_tgsigqueueinfo, sys::call(SYS_getpid), sys::call(SYS_gettid), signal,
              sys::arg(info));
  }
}

// The kernel blocks nothing in our handler, which may fault once more; the program's own has its
// mask. The handler's return puts back what was before.
void block_for_handler(int signal) {
  const u64 set = blocked_by(signal, program_action(signal)) & ~kept_signals();
  if (set != 0) sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&set), 0, kMaskSize);
}

// An instance of a kept signal that somebody sent.
void deliver_kept(int signal, siginfo_t* info, ucontext_t& context) {
  if ((blocked_kept_signals() & signal_bit(signal)) != 0) {
    const Task* task = task_if_any();
    if (task != nullptr && task->deferred != 0) block_after_deferral(signal);
    leave_pending(signal, *info, context);
    return;
  }
  const struct sigaction action = program_action(signal);
  if (action.sa_handler == SIG_IGN) return;
  if (action.sa_handler == SIG_DFL) {
    take_default(signal, info, false);
    return;
  }
  block_for_handler(signal);
  deliver(signal, info, context);
}

OwnHandler g_own[kSignals];

}  // namespace

void keep_signal(int signal, OwnHandler own, int idle_flags) {
  g_own[signal] = own;
  keep_action(signal, idle_flags);
}

void run_program_handler(int signal, siginfo_t* info, void* context) {
  if (!restore_order(signal, info)) return;
  deliver(signal, info, *static_cast<ucontext_t*>(context));
}

void run_kept_handler(int signal, siginfo_t* info, void* context) {
  auto& frame = *static_cast<ucontext_t*>(context);
  if (g_own[signal](signal, info, frame)) return;
  if (info->si_code <= 0) {
    deliver_kept(signal, info, frame);
    return;
  }
  // The kernel forces one that is blocked or ignored: it ends the program.
  const bool is_blocked = (blocked_kept_signals() & signal_bit(signal)) != 0;
  if (is_blocked || !has_handler(program_action(signal))) {
    take_default(signal, info, true);
    return;
  }
  block_for_handler(signal);
  call_program(signal, info, frame);
}

// Who jumped out of it is above its frame.
[[gnu::noinline]] bool is_in_handler() {
  const char here = 0;
  return t_handler != nullptr && &here < t_handler;
}

bool is_on_signal_stack() {
  stack_t stack = {};
  return sys::call(SYS_sigaltstack, 0, sys::arg(&stack)) == 0 && (stack.ss_flags & SS_ONSTACK) != 0;
}

bool take_restart() {
  const bool restarts = t_restarts;
  t_restarts = false;
  return restarts;
}

}  // namespace ipcell
