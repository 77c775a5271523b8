#include "interpose/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "interpose/process.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constexpr int kSignals = 65;
constexpr std::size_t kMaskSize = 8;  // bytes of the kernel's signal set

// What the program asked for. Two copies and an index: a handler sees one or the other whole.
struct ProgramAction {
  struct sigaction copies[2];
  u32 current;
  u32 is_set;  // sigaction() was called for the signal: before, the kernel's answer is the
               // program's
};

ProgramAction g_actions[kSignals];
bool g_has_fault_handlers;

// The signal that came in a critical section; one is enough, since its return blocks all others.
struct Deferred {
  int signal;
  siginfo_t info;
  u64 mask;  // the thread's own mask, put back when the signal is given again
};
thread_local Deferred t_deferred;

// See take_restart().
thread_local bool t_restarts;

bool is_fault(int signal) { return signal == SIGSEGV || signal == SIGBUS; }

struct sigaction program_action(int signal) {
  const ProgramAction& action = g_actions[signal];
  return action.copies[load_acquire(action.current)];
}

void set_program_action(int signal, const struct sigaction& wanted) {
  ProgramAction& action = g_actions[signal];
  const u32 next = 1 - load_relaxed(action.current);
  action.copies[next] = wanted;
  store_release(action.current, next);
  store_release(action.is_set, 1u);
}

bool has_handler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

int real_sigaction(int signal, const struct sigaction* wanted, struct sigaction* old) {
  return IPCELL_REAL(sigaction)(signal, wanted, old);
}

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

void restore_default(int signal) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  real_sigaction(signal, &action, nullptr);
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
    struct sigaction reset = {};
    set_program_action(signal, reset);
    if (!(is_fault(signal) && g_has_fault_handlers)) restore_default(signal);
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

void trampoline(int signal, siginfo_t* info, void* context) {
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

// ------------------------------------------------------------------------ faults

std::uintptr_t program_counter(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__i386__)
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_EIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#endif
}

void set_program_counter(ucontext_t& context, std::uintptr_t value) {
#if defined(__x86_64__)
  context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(value);
#elif defined(__i386__)
  context.uc_mcontext.gregs[REG_EIP] = static_cast<greg_t>(value);
#elif defined(__aarch64__)
  context.uc_mcontext.pc = value;
#endif
}

// The cell's file was cut off under us. Zeros take the missing place, so that the operation ends by
// its own checks; the header's page is then zeros as well, or poisoned, and later calls fail.
bool replace_lost_page(const void* address) {
  const Cell* cell = nullptr;
  for_each_cell([&](u32, const ProcessCell& known) {
    if (known.cell.contains(address)) cell = &known.cell;
  });
  if (cell == nullptr) return false;
  const u64 page = reinterpret_cast<std::uintptr_t>(address) / kPage * kPage;
  sys::map(page, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
  // May fault in turn, if the header is lost as well.
  cell->poison("its file lost a page: somebody cut it off");
  return true;
}

// Ends the program as if nobody had handled the signal.
void take_default(int signal, siginfo_t* info) {
  restore_default(signal);
  // A fault comes again by itself; a signal that somebody sent must be sent again.
  if (info->si_code <= 0) {
    send_to_self(signal, *info);
  }
}

// The kernel leaves the signal open in our handler, which may fault once more; the program's own
// has it blocked. The handler's return puts the mask back.
void block_signal(int signal) {
  const u64 set = 1ull << (signal - 1);
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&set), 0, kMaskSize);
}

void fault_handler(int signal, siginfo_t* info, void* context) {
  auto& frame = *static_cast<ucontext_t*>(context);
  const bool is_own_fault = info->si_code > 0;
  if (is_own_fault) {
    if (const std::uintptr_t target = recover_usercopy(program_counter(frame))) {
      set_program_counter(frame, target);
      return;
    }
    if (signal == SIGBUS && replace_lost_page(info->si_addr)) return;
  }
  const struct sigaction action = program_action(signal);
  if (action.sa_handler == SIG_IGN && !is_own_fault) return;
  if (!has_handler(action)) {
    take_default(signal, info);
    return;
  }
  if (!is_own_fault && !may_run(signal, info, frame)) return;
  if ((action.sa_flags & SA_NODEFER) == 0) block_signal(signal);
  call_program(signal, info, context);
}

// The action that the kernel gets for one that the program wants.
struct sigaction kernel_action(int signal, const struct sigaction& wanted) {
  struct sigaction action = wanted;
  const bool chained = is_fault(signal) && g_has_fault_handlers;
  if (!has_handler(wanted) && !chained) return action;
  action.sa_flags = (action.sa_flags | SA_SIGINFO) & ~static_cast<int>(SA_RESETHAND);
  if (chained) action.sa_flags |= SA_NODEFER;
  action.sa_sigaction = chained ? fault_handler : trampoline;
  return action;
}

// What the program is told of an action that it set by itself.
void show_program_action(int signal, struct sigaction* old, const struct sigaction& before) {
  const int visible = SA_SIGINFO | SA_NODEFER | static_cast<int>(SA_RESETHAND);
  old->sa_flags = (old->sa_flags & ~visible) | (before.sa_flags & visible);
  old->sa_handler = before.sa_handler;
  if (!has_handler(before)) {
    old->sa_flags = before.sa_flags;
    old->sa_mask = before.sa_mask;
  }
  (void)signal;
}

int set_action(int signal, const struct sigaction* wanted, struct sigaction* old) {
  if (signal < 1 || signal >= kSignals) return real_sigaction(signal, wanted, old);
  // A child of vfork(2) changes its own actions, but the table is its parent's.
  if (wanted != nullptr && is_borrowed_memory()) return real_sigaction(signal, wanted, old);
  const bool was_set = load_acquire(g_actions[signal].is_set) != 0;
  const struct sigaction before = program_action(signal);
  if (wanted == nullptr) {
    const int result = real_sigaction(signal, nullptr, old);
    if (result == 0 && old != nullptr && was_set) show_program_action(signal, old, before);
    return result;
  }
  // The table first: the trampoline may run as soon as the kernel knows it.
  const struct sigaction asked = *wanted;
  set_program_action(signal, asked);
  const struct sigaction action = kernel_action(signal, asked);
  struct sigaction kernel_old;
  const int result = real_sigaction(signal, &action, &kernel_old);
  if (result != 0) {
    set_program_action(signal, before);
    store_release(g_actions[signal].is_set, was_set ? 1u : 0u);
    return result;
  }
  if (old != nullptr) {
    *old = kernel_old;
    if (was_set) show_program_action(signal, old, before);
  }
  return result;
}

// Signals for which siginterrupt(3) asked that system calls are interrupted.
u64 g_interrupting;

sighandler_t set_handler(int signal, sighandler_t handler, int flags) {
  struct sigaction wanted = {};
  struct sigaction old;
  wanted.sa_handler = handler;
  wanted.sa_flags = flags;
  if (handler == SIG_ERR || signal < 1 || signal >= kSignals) {
    errno = EINVAL;
    return SIG_ERR;
  }
  if ((flags & SA_NODEFER) == 0) sigaddset(&wanted.sa_mask, signal);
  return set_action(signal, &wanted, &old) == 0 ? old.sa_handler : SIG_ERR;
}

int bsd_flags(int signal) {
  const bool interrupts =
      signal > 0 && signal < kSignals && (load_relaxed(g_interrupting) >> (signal - 1) & 1) != 0;
  return interrupts ? 0 : SA_RESTART;
}

}  // namespace

void install_fault_handlers() {
  for (int signal : {SIGSEGV, SIGBUS}) {
    ProgramAction& program = g_actions[signal];
    if (load_acquire(program.is_set) == 0) {
      struct sigaction inherited;
      if (real_sigaction(signal, nullptr, &inherited) != 0) continue;
      set_program_action(signal, inherited);
    }
    g_has_fault_handlers = true;
    struct sigaction action = kernel_action(signal, program_action(signal));
    if (!has_handler(program_action(signal))) {
      action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    }
    real_sigaction(signal, &action, nullptr);
  }
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

IPCELL_EXPORT int sigaction(int signal, const struct sigaction* wanted,
                            struct sigaction* old) noexcept {
  return ipcell::set_action(signal, wanted, old);
}
IPCELL_EXPORT int __sigaction(int signal, const struct sigaction* wanted,
                              struct sigaction* old) noexcept {
  return ipcell::set_action(signal, wanted, old);
}
IPCELL_EXPORT sighandler_t signal(int signal, sighandler_t handler) noexcept {
  return ipcell::set_handler(signal, handler, ipcell::bsd_flags(signal));
}
IPCELL_EXPORT sighandler_t bsd_signal(int signal, sighandler_t handler) noexcept {
  return ipcell::set_handler(signal, handler, ipcell::bsd_flags(signal));
}
IPCELL_EXPORT sighandler_t ssignal(int signal, sighandler_t handler) noexcept {
  return ipcell::set_handler(signal, handler, ipcell::bsd_flags(signal));
}
IPCELL_EXPORT sighandler_t sysv_signal(int signal, sighandler_t handler) noexcept {
  return ipcell::set_handler(signal, handler, static_cast<int>(SA_RESETHAND) | SA_NODEFER);
}
IPCELL_EXPORT sighandler_t __sysv_signal(int signal, sighandler_t handler) noexcept {
  return ipcell::set_handler(signal, handler, static_cast<int>(SA_RESETHAND) | SA_NODEFER);
}
IPCELL_EXPORT int siginterrupt(int signal, int interrupt) noexcept {
  struct sigaction action;
  if (ipcell::set_action(signal, nullptr, &action) != 0) return -1;
  const ipcell::u64 bit = 1ull << (signal - 1);
  if (interrupt != 0) {
    __atomic_fetch_or(&ipcell::g_interrupting, bit, __ATOMIC_ACQ_REL);
    action.sa_flags &= ~SA_RESTART;
  } else {
    __atomic_fetch_and(&ipcell::g_interrupting, ~bit, __ATOMIC_ACQ_REL);
    action.sa_flags |= SA_RESTART;
  }
  return ipcell::set_action(signal, &action, nullptr);
}
