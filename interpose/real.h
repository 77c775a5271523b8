// The next definition of an interposed symbol: libc's own, or that of a library preloaded behind
// us.
//
//   IPCELL_REAL(setuid)(uid)                      where a header declares it
//
//   constinit Real<int(const char*, int, ...)> real_open("open");
//   real_open(path, flags, mode)                  where none may, or to have it looked up early
//
// dlsym(3) is not async-signal-safe, and a successful one clears what dlerror(3) would have told
// the program. So what programs call in handlers, or that often, is looked up early, by resolve()
// in a constructor; a call that comes before looks its own up. No lock: two threads may do so at
// once, and store the same.
#pragma once

#include <dlfcn.h>
#include <type_traits>

#include "core/base/atomic.h"
#include "interpose/errno.h"

namespace ipcell {

class RealSymbol {
 public:
  constexpr explicit RealSymbol(const char* name) : name_(name) {}
  RealSymbol(const RealSymbol&) = delete;
  RealSymbol& operator=(const RealSymbol&) = delete;

  IPCELL_COLD void* resolve() {
    void* const address = dlsym(RTLD_NEXT, name_);
    store_release(address_, address);
    return address;
  }

 protected:
  void* address() {
    void* const address = load_acquire(address_);
    return address != nullptr ? address : resolve();
  }

 private:
  const char* name_;
  void* address_ = nullptr;
};

template <class Function>
class Real : public RealSymbol {
 public:
  using RealSymbol::RealSymbol;

  // nullptr if this libc does not have it.
  Function* get() { return reinterpret_cast<Function*>(address()); }

  // Calls it; fails with ENOSYS if this libc does not have it.
  template <class... Args>
  auto operator()(Args... args) {
    using Value = decltype(get()(args...));
    Function* const function = get();
    if (function == nullptr) [[unlikely]] {
      const long failure = to_libc(-ENOSYS);
      if constexpr (std::is_pointer_v<Value>) {
        return Value(nullptr);
      } else {
        return static_cast<Value>(failure);
      }
    }
    return function(args...);
  }
};

}  // namespace ipcell

// The real function of a declared name. Each use has a place of its own for the address.
#define IPCELL_REAL(name)                                                                          \
  ([]() -> auto& {                                                                                 \
    static constinit ::ipcell::Real<std::remove_pointer_t<decltype(&::name)>> real(#name);         \
    return real;                                                                                   \
  }())
