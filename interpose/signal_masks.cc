#include "interpose/signal_masks.h"

#include <errno.h>
#include <string.h>

#include "core/base/atomic.h"
#include "core/base/sys.h"
#include "core/base/usercopy.h"
#include "interpose/process.h"
#include "interpose/signal_actions.h"

// Read by jump_exports.cc as well.
extern "C" {
__attribute__((visibility("hidden"))) constinit thread_local ipcell::u64 ipcell_hidden_mask = 0;
}

namespace ipcell {

namespace {

struct MaskState {
  u64 blocked = 0;  // kept signals that the kernel has blocked, as far as is known
  // While a system call waits with a mask of its own: what is hidden, and blocked, when it ends.
  u64 outer = 0;
  u64 outer_blocked = 0;
  bool has_outer = false;
};
constinit thread_local MaskState t_state = {};

// A child of vfork(2) has a mask of its own, but its parent's memory.
struct BorrowedMask {
  long pid = 0;
  u64 hidden = 0;
};
constinit thread_local BorrowedMask t_borrowed = {};

u64& hidden() {
  if (load_relaxed(g_process_cells[0].addresses.is_shared) == 0 || !is_borrowed_memory()) [[likely]]
    return ipcell_hidden_mask;
  const long pid = sys::call(SYS_getpid);
  if (t_borrowed.pid != pid) t_borrowed = {pid, ipcell_hidden_mask};
  return t_borrowed.hidden;
}

bool is_fault_blocked() { return t_state.blocked != 0; }

long set_kernel_mask(int how, const u64* set, u64* old = nullptr) {
  return sys::call(SYS_rt_sigprocmask, how, sys::arg(set), sys::arg(old), kMaskSize);
}

u64 get_mask(const ucontext_t& context) {
  u64 mask;
  memcpy(&mask, &context.uc_sigmask, sizeof mask);
  return mask;
}
void put_mask(ucontext_t& context, u64 mask) { memcpy(&context.uc_sigmask, &mask, sizeof mask); }

// Without a cell nobody catches faults.
int copy_in(void* to, const void* from, std::size_t size) {
  return is_kept(SIGSEGV) ? copy_from_user(to, from, size)
                          : copy_from_user_by_kernel(to, from, size);
}
int copy_out(void* to, const void* from, std::size_t size) {
  return is_kept(SIGSEGV) ? copy_to_user(to, from, size) : copy_to_user_by_kernel(to, from, size);
}

// What the kernel gets of a whole mask: what it has really blocked may stay so.
u64 split(u64 mask) {
  const u64 kept = mask & kept_signals();
  t_state.blocked &= kept;
  hidden() = kept & ~t_state.blocked;
  return (mask & ~kept) | t_state.blocked;
}

// Without kept signals.
long change_plain_mask(int how, const void* set, void* old, u64 allowed) {
  u64 wanted;
  if (set != nullptr && allowed != ~0ull) {
    memcpy(&wanted, set, sizeof wanted);
    wanted &= allowed;
    set = &wanted;
  }
  return sys::call(SYS_rt_sigprocmask, how, sys::arg(set), sys::arg(old), kMaskSize);
}

}  // namespace

long change_mask(int how, const void* set, void* old, u64 allowed) {
  if (kept_signals() == 0) return change_plain_mask(how, set, old, allowed);
  u64 wanted = 0;
  if (set != nullptr && copy_in(&wanted, set, sizeof wanted) != 0) return -EFAULT;
  wanted &= allowed;
  const u64 before = hidden();
  u64 kernel = wanted;
  if (set == nullptr) {
    how = SIG_BLOCK;
  } else if (how == SIG_SETMASK) {
    kernel = split(wanted);
  } else if (how == SIG_UNBLOCK) {
    hidden() &= ~wanted;
    t_state.blocked &= ~wanted;
  } else if (how == SIG_BLOCK) {
    const u64 kept = wanted & kept_signals();
    hidden() |= kept & ~t_state.blocked;
    kernel &= ~kept;
  }
  u64 found = 0;
  const long error = set_kernel_mask(how, set != nullptr ? &kernel : nullptr, &found);
  if (error != 0) return error;
  found |= before;
  return old != nullptr ? copy_out(old, &found, sizeof found) : 0;
}

long mask_by_number(int how, const void* set, void* old, u64 size) {
  return size == kMaskSize ? change_mask(how, set, old, ~0ull) : -EINVAL;
}

u64 blocked_kept_signals() { return hidden() | t_state.blocked; }

u64 hidden_signals() { return hidden(); }
void inherit_hidden(u64 inherited) { ipcell_hidden_mask = inherited; }

void note_kernel_mask(u64 mask) { t_state.blocked &= mask; }

void hide_in(u64* mask) {
  const u64 kept = *mask & kept_signals() & ~t_state.blocked;
  hidden() |= kept;
  *mask &= ~kept;
}

HandlerMask::HandlerMask(ucontext_t& context, u64 blocked) : context_(context) {
  MaskState& state = t_state;
  u64& now = hidden();
  put_mask(context, get_mask(context) | (state.has_outer ? state.outer : now));
  state.has_outer = false;
  now |= blocked & kept_signals() & ~state.blocked;
}

HandlerMask::~HandlerMask() {
  // The kernel puts back what stands there.
  put_mask(context_, split(get_mask(context_)));
}

void leave_pending(int signal, const siginfo_t& info, ucontext_t& context) {
  const u64 bit = signal_bit(signal);
  hidden() &= ~bit;
  t_state.blocked |= bit;
  store_release(g_is_fault_blocked, is_fault_blocked);
  put_mask(context, get_mask(context) | bit);
  set_kernel_mask(SIG_BLOCK, &bit);
  // It may have been any thread's.
  const long pid = sys::call(SYS_getpid);
  if (info.si_code == SI_TKILL) {
    sys::call(SYS_rt_tgsigqueueinfo, pid, sys::call(SYS_gettid), signal, sys::arg(&info));
  } else {
    sys::call(SYS_rt_sigqueueinfo, pid, signal, sys::arg(&info));
  }
}

WaitMask::WaitMask(const sigset_t* wanted) : mask_(wanted) {
  u64 mask;
  if (wanted == nullptr || kept_signals() == 0) return;
  // The kernel tells of a bad pointer.
  if (copy_in(&mask, wanted, sizeof mask) != 0) return;
  MaskState& state = t_state;
  u64& now = hidden();
  const u64 kept = mask & kept_signals();
  if ((kept | now | state.blocked) == 0) return;
  state.outer = now;
  state.outer_blocked = state.blocked;
  state.has_outer = true;
  kill_barrier();
  state.blocked &= kept;
  now = kept & ~state.blocked;
  mask &= ~now;
  memset(&copy_, 0, sizeof copy_);
  memcpy(&copy_, &mask, sizeof mask);
  mask_ = &copy_;
  is_set_ = true;
}

WaitMask::~WaitMask() {
  MaskState& state = t_state;
  // A handler that ran has put it back.
  if (!is_set_ || !state.has_outer) return;
  hidden() = state.outer;
  state.blocked |= state.outer_blocked;
  kill_barrier();
  state.has_outer = false;
}

WholeMask::WholeMask() : shown_(kept_signals() != 0 ? hidden() : 0) {
  if (shown_ != 0) set_kernel_mask(SIG_BLOCK, &shown_);
}

WholeMask::~WholeMask() {
  if (shown_ != 0) set_kernel_mask(SIG_UNBLOCK, &shown_);
}

}  // namespace ipcell
