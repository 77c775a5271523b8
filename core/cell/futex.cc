#include "core/cell/futex.h"

#include <linux/futex.h>

#include "core/base/clock.h"
#include "core/base/user_time.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace ipcell {

namespace {

#if defined(__i386__)
constexpr long kSysFutex = 422;  // futex_time64
#else
constexpr long kSysFutex = SYS_futex;
#endif

constexpr u32 kFutex32 = 2;
constexpr i64 kSecond = 1'000'000'000;

}  // namespace

int futex_wait(u32& word, u32 expected, i64 timeout_ns) {
  const KernelTimespec timeout = {timeout_ns / kSecond, timeout_ns % kSecond};
  return static_cast<int>(sys::call(kSysFutex, sys::arg(&word), FUTEX_WAIT,
                                    static_cast<long>(expected), sys::arg(&timeout)));
}

FutexWaitv futex_waitv_entry(const u32& word, u32 expected) {
  return {expected, reinterpret_cast<std::uintptr_t>(&word), kFutex32, 0};
}

int futex_wait_many(const FutexWaitv* entries, u32 count, i64 timeout_ns) {
  KernelTimespec deadline = ask_kernel(CLOCK_MONOTONIC);
  deadline.nanoseconds += timeout_ns;
  deadline.seconds += deadline.nanoseconds / kSecond;
  deadline.nanoseconds %= kSecond;
  return static_cast<int>(sys::call(SYS_futex_waitv, sys::arg(entries), count, 0,
                                    sys::arg(&deadline), CLOCK_MONOTONIC));
}

void futex_wake(u32& word, i32 count) { sys::call(kSysFutex, sys::arg(&word), FUTEX_WAKE, count); }

}  // namespace ipcell
