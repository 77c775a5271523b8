// Blocking signals where no handler may run, not even one that this library does not know of.
#pragma once

#include <initializer_list>
#include <signal.h>

#include "core/base/sys.h"

namespace ipcell {

class SignalsBlocked {
 public:
  // All but those that an instruction brings about: blocked, they would end the program.
  void block() {
    u64 mask = ~0ull;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS})
      mask &= ~(1ull << (signal - 1));
    sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::arg(&mask), sys::arg(&before_), sizeof before_);
  }
  void unblock() const {
    sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::arg(&before_), 0, sizeof before_);
  }
  // The mask that is put back.
  u64& mask() { return before_; }

 private:
  u64 before_ = 0;
};

// For the time of a function.
class WithoutSignals {
 public:
  WithoutSignals() { blocked_.block(); }
  ~WithoutSignals() { blocked_.unblock(); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

  u64& mask() { return blocked_.mask(); }

 private:
  SignalsBlocked blocked_;
};

}  // namespace ipcell
