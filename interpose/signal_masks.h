// Kept signals (keep_signal()) are not blocked in the kernel, whatever mask the program sets: a
// blocked one that an instruction brings about ends the process, be it in the copy from a bad
// pointer. What the program has blocked of them is *hidden*, a word per thread. It goes where the
// kernel's mask goes:
//
//  - what sets or tells a mask is interposed (mask_exports.cc), sigsetjmp(3) and siglongjmp(3)
//    (jump_exports.cc) as well, which save and restore one past every wrapper;
//  - a handler is shown it in its context, and what it leaves there counts;
//  - threads and forked children inherit it; exec(2) hands it to the kernel.
//
// A kept signal that somebody sends while it is hidden gets really blocked, and sent again, so that
// it is pending as it would be. Meanwhile the thread's copies are the kernel's.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "core/base/types.h"

namespace ipcell {

// As rt_sigprocmask(2): 0 or -errno. The sets are the program's, and may be bad pointers.
// `allowed`: those that may be blocked.
long change_mask(int how, const void* set, void* old, u64 allowed);

// rt_sigprocmask(2), by number.
long mask_by_number(int how, const void* set, void* old, u64 size);

// The kept signals that the calling thread has blocked, as it knows.
u64 blocked_kept_signals();

// A new thread has its maker's mask.
u64 hidden_signals();
void inherit_hidden(u64 hidden);

// `mask` is what the kernel has, or is to put back: the kept ones in it are hidden instead.
void hide_in(u64* mask);

// The kernel gets this mask, which is one that it had.
void note_kernel_mask(u64 mask);

// Around a handler of the program's: in its context it is shown what is hidden.
class HandlerMask {
 public:
  // `blocked`: what the handler's action adds to the mask.
  HandlerMask(ucontext_t& context, u64 blocked);
  ~HandlerMask();
  HandlerMask(const HandlerMask&) = delete;
  HandlerMask& operator=(const HandlerMask&) = delete;

 private:
  ucontext_t& context_;
};

// Of a handler's context: the signal was sent to a thread that has it blocked. It stays pending.
void leave_pending(int signal, const siginfo_t& info, ucontext_t& context);

// A mask that a system call sets for as long as it waits.
class WaitMask {
 public:
  explicit WaitMask(const sigset_t* wanted);
  ~WaitMask();
  WaitMask(const WaitMask&) = delete;
  WaitMask& operator=(const WaitMask&) = delete;

  const sigset_t* get() const { return mask_; }

 private:
  const sigset_t* mask_;
  sigset_t copy_;
  bool is_set_ = false;
};

// The kernel has the thread's whole mask, as what is started inherits it.
class WholeMask {
 public:
  WholeMask();
  ~WholeMask();
  WholeMask(const WholeMask&) = delete;
  WholeMask& operator=(const WholeMask&) = delete;

 private:
  u64 shown_;
};

}  // namespace ipcell
