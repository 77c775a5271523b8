// Memory for the time of a call: on the stack while it is little, else mapped. The core has no
// malloc: it may run in a signal handler.
#pragma once

#include <sys/mman.h>

#include "core/base/sys.h"

namespace ipcell {

template <class T, std::size_t kFew>
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() {
    if (data_ != few_) sys::call(SYS_munmap, sys::arg(data_), static_cast<long>(mapped_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // False if there is no memory.
  bool make(std::size_t count) {
    if (count <= kFew) return true;
    mapped_ = count * sizeof(T);
    const long address = sys::map(0, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (sys::is_error(address)) return false;
    data_ = reinterpret_cast<T*>(address);
    return true;
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t n) { return data_[n]; }

 private:
  T few_[kFew];
  T* data_ = few_;
  std::size_t mapped_ = 0;
};

}  // namespace ipcell
