// futex(2) and futex_waitv(2) on words of a cell, which are shared between processes.
#pragma once

#include "core/base/sys.h"

namespace ipcell {

constexpr u32 kFutexWaiters = 0x80000000u;
constexpr u32 kFutexOwnerDied = 0x40000000u;
constexpr u32 kFutexTidMask = 0x3fffffffu;

// How long any sleep may last before it looks again: bounds what a lost wake-up can cost.
constexpr i32 kRecheckMs = 50;

// Sleeps until woken while `word` is `expected`, at most `timeout_ms`. Returns 0, -EAGAIN (the word
// differs), -ETIMEDOUT or -EINTR; callers look at the state again whatever it is.
int futex_wait(u32& word, u32 expected, i32 timeout_ms);
// The same on two words: wakes also when `other`'s waiters are woken (a dying thread's token).
// -ENOSYS where the kernel has no futex_waitv (before 5.16).
int futex_wait_two(u32& word, u32 expected, u32& other, u32 other_expected, i32 timeout_ms);
void futex_wake(u32& word, i32 count);

}  // namespace ipcell
