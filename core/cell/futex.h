// futex(2) and futex_waitv(2) on words of a cell, which are shared between processes.
#pragma once

#include "core/base/sys.h"

namespace ipcell {

constexpr u32 kFutexWaiters = 0x80000000u;
constexpr u32 kFutexOwnerDied = 0x40000000u;
constexpr u32 kFutexTidMask = 0x3fffffffu;

// How long a sleep lasts before it looks again, at first and at most: bounds what a lost wake-up
// can cost.
constexpr i64 kRecheckNs = 50'000'000;
constexpr i64 kPatientNs = 800'000'000;

// Sleeps until woken while `word` is `expected`, at most `timeout_ns`. Returns 0, -EAGAIN (the word
// differs), -ETIMEDOUT or -EINTR; callers look at the state again whatever it is.
int futex_wait(u32& word, u32 expected, i64 timeout_ns);

// A word and what it is expected to be. Linux: uapi/linux/futex.h:struct futex_waitv, which older
// headers lack.
struct FutexWaitv {
  u64 value;
  u64 address;
  u32 flags;
  u32 reserved;
};
constexpr u32 kFutexWaitvMax = 128;
FutexWaitv futex_waitv_entry(const u32& word, u32 expected);
// The same on several words, kFutexWaitvMax at most: wakes when the waiters of any are woken (a
// dying thread's token). The index of the word, or as above; -ENOSYS where the kernel has no
// futex_waitv (before 5.16).
int futex_wait_many(const FutexWaitv* entries, u32 count, i64 timeout_ns);
void futex_wake(u32& word, i32 count);
constexpr i32 kFutexWakeAll = 0x7fffffff;

}  // namespace ipcell
