#include "interpose/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "core/base/sys.h"
#include "interpose/process.h"
#include "interpose/signal_actions.h"

namespace ipcell {

namespace {

// The signal that came in a critical section; one is enough, since its return blocks all others.
struct Deferred {
  int signal;
  siginfo_t info;
  u64 mask;  // the thread's own mask, put back when the signal is given again
};
thread_local Deferred t_deferred;

// See take_restart().
thread_local bool t_restarts;

void send_to_self(int signal, const siginfo_t& info) {
  sys::call(SYS_rt_tgsigqueueinfo, sys::call(SYS_getpid), sys::call(SYS_gettid), signal,
            sys::arg(&info));
}

// Lets the interrupted critical section go on, with all signals blocked until its end.
void defer(Task& task, int signal, const siginfo_t& info, ucontext_t& context) {
  // One was put off already, inside of this handler's own core call. It stays pending, since all
  // are blocked from here on; the mask to come back to is that of this frame, the outer one.
  if (task.deferred != 0) send_to_self(t_deferred.signal, t_deferred.info);
  memcpy(&t_deferred.mask, &context.uc_sigmask, kMaskSize);
  t_deferred.signal = signal;
  t_deferred.info = info;
  memset(&context.uc_sigmask, 0xff, kMaskSize);
  task.deferred = 1;
}

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

void call_program(int signal, siginfo_t* info, void* context) {
  const struct sigaction action = program_action(signal);
  if (!has_handler(action)) return;
  if ((action.sa_flags & SA_RESETHAND) != 0) {
    // The kernel does this before the handler; it is not told of the flag, since a signal that is
    // put off is delivered twice.
    reset_action(signal);
  }
  const OutsideOfExec outside;
  const AtHome at_home;
  const InHandler in_handler;
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
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

// Ends the program as if nobody had handled the signal.
void take_default(int signal, siginfo_t* info) {
  restore_default(signal);
  // A fault comes again by itself; a signal that somebody sent must be sent again.
  if (info->si_code <= 0) {
    send_to_self(signal, *info);
  }
}

// The kernel blocks nothing in our handler, which may fault once more; the program's own has its
// mask. The handler's return puts back what was before.
void block_for_handler(int signal, const struct sigaction& action) {
  u64 set;
  memcpy(&set, &action.sa_mask, sizeof set);
  if ((action.sa_flags & SA_NODEFER) == 0) set |= signal_bit(signal);
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&set), 0, kMaskSize);
}

OwnHandler g_own[kSignals];

}  // namespace

void keep_signal(int signal, OwnHandler own, int idle_flags) {
  g_own[signal] = own;
  keep_action(signal, idle_flags);
}

void run_program_handler(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  // A blocked call may have asynchronous cancellation on; neither the core nor a handler can have
  // it.
  const Task* task = task_if_any();
  const bool is_in_wait = task != nullptr && task->wait_frame != nullptr;
  // Read before: the handler may install another.
  const bool restarts = (program_action(signal).sa_flags & SA_RESTART) != 0;
  int cancel_type = PTHREAD_CANCEL_DEFERRED;
  if (is_in_wait) pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &cancel_type);
  if (may_run(signal, info, *static_cast<ucontext_t*>(context))) {
    errno = saved_errno;
    call_program(signal, info, context);
    if (is_in_wait) t_restarts = restarts;
  }
  if (is_in_wait) pthread_setcanceltype(cancel_type, nullptr);
}

void run_kept_handler(int signal, siginfo_t* info, void* context) {
  auto& frame = *static_cast<ucontext_t*>(context);
  const bool is_forced = info->si_code > 0;
  if (g_own[signal](signal, info, frame)) return;
  const struct sigaction action = program_action(signal);
  if (action.sa_handler == SIG_IGN && !is_forced) return;
  if (!has_handler(action)) {
    take_default(signal, info);
    return;
  }
  if (!is_forced && !may_run(signal, info, frame)) return;
  block_for_handler(signal, action);
  call_program(signal, info, context);
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

void deliver_deferred_signal(Task& task) {
  task.deferred = 0;
  const Deferred deferred = t_deferred;
  // Pending first, then unblocked: the handler runs as from the kernel, at the return of this call.
  sys::call(SYS_rt_tgsigqueueinfo, sys::call(SYS_getpid), sys::call(SYS_gettid), deferred.signal,
            sys::arg(&deferred.info));
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&deferred.mask), 0, kMaskSize);
}

}  // namespace ipcell
