// sigprocmask(2) and its relatives, and calls that wait with a mask of their own. See
// signal_masks.h.
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>

#include "interpose/errno.h"
#include "interpose/real.h"
#include "interpose/signal_actions.h"
#include "interpose/signal_masks.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<int(const sigset_t*)> real_sigsuspend("sigsuspend");
constinit Real<int(int, struct epoll_event*, int, int, const sigset_t*)>
    real_epoll_pwait("epoll_pwait");
constinit Real<int(int, struct epoll_event*, int, const struct timespec*, const sigset_t*)>
    real_epoll_pwait2("epoll_pwait2");

// Programs make these in handlers.
__attribute__((constructor)) void resolve_masks() { real_sigsuspend.resolve(); }

long change_by_libc(int how, const void* set, void* old) {
  return change_mask(how, set, old, ~kLibcSignals);
}

bool is_signal(int signal) { return signal >= 1 && signal < kSignals; }

// One signal; 0 or -errno. The whole mask from before in `old`, if given.
long change_one(int how, int signal, u64* old = nullptr) {
  if (!is_signal(signal)) return -EINVAL;
  const u64 set = signal_bit(signal);
  return change_by_libc(how, &set, old);
}

// As in glibc's sysv_signal(3): the old disposition is SIG_HOLD for one that was blocked.
sighandler_t set_disposition(int signal, sighandler_t wanted) {
  struct sigaction old;
  u64 before = 0;
  if (!is_signal(signal) || wanted == SIG_ERR) {
    errno = EINVAL;
    return SIG_ERR;
  }
  struct sigaction action = {};
  action.sa_handler = wanted;
  const bool is_hold = wanted == SIG_HOLD;
  if (is_hold && change_one(SIG_BLOCK, signal, &before) != 0) return SIG_ERR;
  if (set_action(signal, is_hold ? nullptr : &action, &old) != 0) return SIG_ERR;
  if (!is_hold && change_one(SIG_UNBLOCK, signal, &before) != 0) return SIG_ERR;
  return (before & signal_bit(signal)) != 0 ? SIG_HOLD : old.sa_handler;
}

// The first 32 signals, as 4.2BSD had them.
int change_first(int how, const int* set) {
  u64 old = 0;
  const u64 wanted = set != nullptr ? static_cast<u32>(*set) : 0;
  change_by_libc(how, set != nullptr ? &wanted : nullptr, &old);
  return static_cast<int>(static_cast<u32>(old));
}

}  // namespace

}  // namespace ipcell

using ipcell::to_libc;
using ipcell::WaitMask;

IPCELL_EXPORT int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  return static_cast<int>(to_libc(ipcell::change_by_libc(how, set, old)));
}
IPCELL_EXPORT int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  return static_cast<int>(-ipcell::change_by_libc(how, set, old));
}
IPCELL_EXPORT int sighold(int signal) noexcept {
  return static_cast<int>(to_libc(ipcell::change_one(SIG_BLOCK, signal)));
}
IPCELL_EXPORT int sigrelse(int signal) noexcept {
  return static_cast<int>(to_libc(ipcell::change_one(SIG_UNBLOCK, signal)));
}
IPCELL_EXPORT int sigignore(int signal) noexcept {
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  return ipcell::set_action(signal, &action, nullptr);
}
IPCELL_EXPORT sighandler_t sigset(int signal, sighandler_t wanted) noexcept {
  return ipcell::set_disposition(signal, wanted);
}
IPCELL_EXPORT int sigblock(int set) noexcept { return ipcell::change_first(SIG_BLOCK, &set); }
IPCELL_EXPORT int sigsetmask(int set) noexcept { return ipcell::change_first(SIG_SETMASK, &set); }
IPCELL_EXPORT int siggetmask() noexcept { return ipcell::change_first(SIG_BLOCK, nullptr); }

IPCELL_EXPORT int sigsuspend(const sigset_t* set) {
  const WaitMask mask(set);
  return ipcell::real_sigsuspend(mask.get());
}
IPCELL_EXPORT int epoll_pwait(int instance, struct epoll_event* events, int room, int milliseconds,
                              const sigset_t* set) {
  const WaitMask mask(set);
  return ipcell::real_epoll_pwait(instance, events, room, milliseconds, mask.get());
}
IPCELL_EXPORT int epoll_pwait2(int instance, struct epoll_event* events, int room,
                               const struct timespec* timeout, const sigset_t* set) {
  const WaitMask mask(set);
  return ipcell::real_epoll_pwait2(instance, events, room, timeout, mask.get());
}
