#include "core/cell/futex.h"

#include <linux/futex.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace ipcell {

namespace {

struct KernelTimespec {
  i64 seconds;
  i64 nanoseconds;
};

#if defined(__i386__)
constexpr long kSysFutex = 422;  // futex_time64
constexpr long kSysClockGettime = 403;
#else
constexpr long kSysFutex = SYS_futex;
constexpr long kSysClockGettime = SYS_clock_gettime;
#endif

// Linux: uapi/linux/futex.h:struct futex_waitv, which older headers lack.
struct WaitvEntry {
  u64 value;
  u64 address;
  u32 flags;
  u32 reserved;
};
constexpr u32 kFutex32 = 2;

}  // namespace

int futex_wait(u32& word, u32 expected, i32 timeout_ms) {
  const KernelTimespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000};
  return static_cast<int>(sys::call(kSysFutex, sys::arg(&word), FUTEX_WAIT,
                                    static_cast<long>(expected), sys::arg(&timeout)));
}

int futex_wait_two(u32& word, u32 expected, u32& other, u32 other_expected, i32 timeout_ms) {
  const WaitvEntry entries[2] = {
      {expected, reinterpret_cast<std::uintptr_t>(&word), kFutex32, 0},
      {other_expected, reinterpret_cast<std::uintptr_t>(&other), kFutex32, 0}};
  KernelTimespec deadline;
  sys::call(kSysClockGettime, CLOCK_MONOTONIC, sys::arg(&deadline));
  deadline.nanoseconds += static_cast<i64>(timeout_ms) * 1000000;
  deadline.seconds += deadline.nanoseconds / 1000000000;
  deadline.nanoseconds %= 1000000000;
  return static_cast<int>(
      sys::call(SYS_futex_waitv, sys::arg(entries), 2, 0, sys::arg(&deadline), CLOCK_MONOTONIC));
}

void futex_wake(u32& word, i32 count) { sys::call(kSysFutex, sys::arg(&word), FUTEX_WAKE, count); }

}  // namespace ipcell
