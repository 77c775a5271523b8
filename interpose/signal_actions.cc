#include "interpose/signal_actions.h"

#include "core/base/atomic.h"
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
    action.sa_sigaction = run_program_handler;
  } else {
    return action;
  }
  action.sa_flags = (action.sa_flags | SA_SIGINFO) & ~static_cast<int>(SA_RESETHAND);
  return action;
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
}

}  // namespace ipcell
