// sigaction(2) and its relatives.
#include <errno.h>
#include <signal.h>

#include "core/base/atomic.h"
#include "interpose/signal_actions.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

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
