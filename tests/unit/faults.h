// Bad addresses, and the handler without which they end the test.
#pragma once

#include <signal.h>

#include "core/base/types.h"

namespace ipcell::test {

// While it lives, faults in ipcell_usercopy() give -EFAULT: the interposer's handler in small.
class FaultHandler {
 public:
  FaultHandler();
  ~FaultHandler();
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;

 private:
  struct sigaction old_segv_ = {};
  struct sigaction old_bus_ = {};
};

// Some pages with one behind them that cannot be touched.
class GuardedPages {
 public:
  explicit GuardedPages(std::size_t pages);
  ~GuardedPages();
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  u8* end() const { return start_ + size_; }
  static std::size_t page_size();

 private:
  u8* start_ = nullptr;
  std::size_t size_;
};

}  // namespace ipcell::test
