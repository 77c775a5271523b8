// The kernel's clocks: by the vDSO, through libc.
#pragma once

#include <time.h>

#include "core/base/sys.h"

namespace ipcell {

// Another library stands in for libc's clocks, and may tell another time than the kernel's
// (libfaketime). Set before the first use.
inline bool g_has_foreign_clocks = false;

struct KernelTimespec {
  i64 seconds;
  i64 nanoseconds;
};

inline KernelTimespec ask_kernel(clockid_t clock) {
#if defined(__i386__)
  constexpr long kSysClockGettime = 403;  // clock_gettime64
#else
  constexpr long kSysClockGettime = SYS_clock_gettime;
#endif
  KernelTimespec now = {};
  sys::call(kSysClockGettime, clock, sys::arg(&now));
  return now;
}

inline i64 nanoseconds_of(clockid_t clock) {
  constexpr i64 kSecond = 1'000'000'000;
  if (g_has_foreign_clocks) [[unlikely]] {
    const KernelTimespec now = ask_kernel(clock);
    return now.seconds * kSecond + now.nanoseconds;
  }
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// Linux: ktime_get_real_seconds()
inline i64 wall_clock_seconds() {
  if (g_has_foreign_clocks) [[unlikely]]
    return ask_kernel(CLOCK_REALTIME_COARSE).seconds;
  return static_cast<i64>(time(nullptr));
}

}  // namespace ipcell
