#include "interpose/signal_actions.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/base/atomic.h"
#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "interpose/process.h"
#include "interpose/real.h"
#include "interpose/signals.h"

namespace ipcell {

namespace {

// What the program asked for. Two copies and an index: a handler sees one or the other whole.
struct ProgramAction {
  struct sigaction copies[2];
  u32 current;
  u32 is_set;  // before, the kernel's answer is the program's
};

ProgramAction g_actions[kSignals];
u64 g_kept;                  // bit per signal
int g_idle_flags[kSignals];  // of kept signals, while the program has no handler

constinit Real<int(int, const struct sigaction*, struct sigaction*)> real_sigaction("sigaction");

void set_program_action(int signal, const struct sigaction& wanted) {
  ProgramAction& action = g_actions[signal];
  const u32 next = 1 - load_relaxed(action.current);
  action.copies[next] = wanted;
  store_release(action.current, next);
  store_release(action.is_set, 1u);
}

// The action that the kernel gets for one that the program wants.
struct sigaction kernel_action(int signal, const struct sigaction& wanted) {
  struct sigaction action = wanted;
  const bool has_own = has_handler(wanted);
  if (is_kept(signal)) {
    // May come again while it is handled. The program's mask is its handler's, not ours.
    action.sa_flags = (has_own ? action.sa_flags : g_idle_flags[signal] | SA_RESTART) | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = run_kept_handler;
  } else if (has_own) {
    const u64 hidden = kept_signals();
    u64 mask;
    memcpy(&mask, &action.sa_mask, sizeof mask);
    mask &= ~hidden;
    memcpy(&action.sa_mask, &mask, sizeof mask);
    action.sa_sigaction = run_program_handler;
  } else {
    return action;
  }
  action.sa_flags = (action.sa_flags | SA_SIGINFO) & ~static_cast<int>(SA_RESETHAND);
  return action;
}

// What is pending of a signal goes when it is ignored.
void drop_pending(int signal, const struct sigaction& action) {
  sigset_t pending;
  if (g_is_fault_blocked == nullptr || sigpending(&pending) != 0 || !sigismember(&pending, signal))
    return;
  struct sigaction ignoring = {};
  ignoring.sa_handler = SIG_IGN;
  real_sigaction(signal, &ignoring, nullptr);
  real_sigaction(signal, &action, nullptr);
}

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 &&
         (action.sa_sigaction == run_program_handler || action.sa_sigaction == run_kept_handler);
}

// What the program is told. All that the kernel was not told as the program asked for it.
void show_program_action(struct sigaction* kernel, const struct sigaction& program) {
  if (!is_ours(*kernel)) return;
  const int changed =
      SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART | static_cast<int>(SA_RESETHAND);
  kernel->sa_flags = (kernel->sa_flags & ~changed) | (program.sa_flags & changed);
  kernel->sa_handler = program.sa_handler;
  kernel->sa_mask = program.sa_mask;
  sigdelset(&kernel->sa_mask, SIGKILL);
  sigdelset(&kernel->sa_mask, SIGSTOP);
}

}  // namespace

u64 kept_signals() { return load_relaxed(g_kept); }
bool is_kept(int signal) { return (kept_signals() & signal_bit(signal)) != 0; }

struct sigaction program_action(int signal) {
  const ProgramAction& action = g_actions[signal];
  return action.copies[load_acquire(action.current)];
}

int set_action(int signal, const struct sigaction* wanted, struct sigaction* old) {
  if (signal < 1 || signal >= kSignals) return real_sigaction(signal, wanted, old);
  const struct sigaction before = program_action(signal);
  // A child of vfork(2) changes its own actions, but the table is its parent's.
  if (wanted == nullptr || is_borrowed_memory()) {
    const int result = real_sigaction(signal, wanted, old);
    if (result == 0 && old != nullptr) show_program_action(old, before);
    return result;
  }
  const bool was_set = load_acquire(g_actions[signal].is_set) != 0;
  // The table first: a handler may run as soon as the kernel knows it.
  const struct sigaction asked = *wanted;
  set_program_action(signal, asked);
  const struct sigaction action = kernel_action(signal, asked);
  struct sigaction kernel_old;
  const int result = real_sigaction(signal, &action, &kernel_old);
  if (result == 0 && is_kept(signal) && asked.sa_handler == SIG_IGN) drop_pending(signal, action);
  if (result != 0) {
    set_program_action(signal, before);
    store_release(g_actions[signal].is_set, was_set ? 1u : 0u);
    return result;
  }
  if (old != nullptr) {
    *old = kernel_old;
    show_program_action(old, before);
  }
  return result;
}

// Linux: struct kernel_sigaction of x86-64 and i386
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  u32 mask[2];
};
static_assert(offsetof(KernelAction, mask) == 3 * sizeof(long));

bool chain_handler(int signal) {
  KernelAction raw;
  if (sys::call(SYS_rt_sigaction, signal, 0, sys::arg(&raw), kMaskSize) != 0) return false;
  struct sigaction action = {};
  action.sa_handler = raw.handler;
  action.sa_flags = static_cast<int>(raw.flags);
  memcpy(&action.sa_mask, &raw.mask, sizeof raw.mask);
  if (!has_handler(action) || is_ours(action)) return has_handler(action);
  set_program_action(signal, action);
  action.sa_sigaction = run_program_handler;
  raw.handler = action.sa_handler;
  raw.flags |= SA_SIGINFO;
  return sys::call(SYS_rt_sigaction, signal, sys::arg(&raw), 0, kMaskSize) == 0;
}

long action_by_number(int signal, const void* wanted, void* old, u64 size) {
  const bool is_plain = size != kMaskSize || signal < 1 || signal >= kSignals ||
                        (signal_bit(signal) & kLibcSignals) != 0 || signal == SIGKILL ||
                        signal == SIGSTOP;
  if (is_plain)
    return sys::call(SYS_rt_sigaction, signal, sys::arg(wanted), sys::arg(old),
                     static_cast<long>(size));
  KernelAction raw;
  struct sigaction action = {};
  struct sigaction before = {};
  if (wanted != nullptr) {
    if (copy_from_user_by_kernel(&raw, wanted, sizeof raw) != 0) return -EFAULT;
    action.sa_handler = raw.handler;
    action.sa_flags = static_cast<int>(raw.flags);
    action.sa_restorer = raw.restorer;
    memcpy(&action.sa_mask, &raw.mask, sizeof raw.mask);
  }
  const int saved_errno = errno;
  if (set_action(signal, wanted != nullptr ? &action : nullptr, &before) != 0) {
    const int error = errno;
    errno = saved_errno;
    return -error;
  }
  if (old == nullptr) return 0;
  raw = {before.sa_handler, static_cast<u32>(before.sa_flags), before.sa_restorer, {}};
  memcpy(&raw.mask, &before.sa_mask, sizeof raw.mask);
  return copy_to_user_by_kernel(old, &raw, sizeof raw);
}

void reset_action(int signal) {
  struct sigaction reset = program_action(signal);
  reset.sa_handler = SIG_DFL;
  set_program_action(signal, reset);
  const struct sigaction action = kernel_action(signal, reset);
  real_sigaction(signal, &action, nullptr);
}

void restore_default(int signal) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  real_sigaction(signal, &action, nullptr);
}

// Handlers from before, which would have it blocked.
static void renew_actions(u64 kept) {
  for (int signal = 1; signal < kSignals; ++signal) {
    for (;;) {
      const struct sigaction wanted = program_action(signal);
      u64 mask;
      memcpy(&mask, &wanted.sa_mask, sizeof mask);
      if (!has_handler(wanted) || is_kept(signal) || (mask & kept) == 0) break;
      const struct sigaction action = kernel_action(signal, wanted);
      real_sigaction(signal, &action, nullptr);
      // Another thread may have set one meanwhile, which this one then took the place of.
      const struct sigaction now = program_action(signal);
      if (memcmp(&now, &wanted, sizeof now) == 0) break;
      const struct sigaction newer = kernel_action(signal, now);
      real_sigaction(signal, &newer, nullptr);
    }
  }
}

void keep_action(int signal, int idle_flags) {
  if (load_acquire(g_actions[signal].is_set) == 0) {
    struct sigaction inherited;
    if (real_sigaction(signal, nullptr, &inherited) != 0) return;
    set_program_action(signal, inherited);
  }
  g_idle_flags[signal] = idle_flags;
  __atomic_fetch_or(&g_kept, signal_bit(signal), __ATOMIC_ACQ_REL);
  const struct sigaction action = kernel_action(signal, program_action(signal));
  real_sigaction(signal, &action, nullptr);
  renew_actions(signal_bit(signal));
}

}  // namespace ipcell
