// What `ipcell run --trap` and the preloaded library know of each other. The kernel stops each
// inline IPC call of the tree (seccomp(2)): of programs whose code lies where dynamic ones have it
// by SIGSYS, of all others by a notification to a process of `ipcell run`. That one makes the call
// for programs without the library, and sends SIGSYS to those that have it.
#pragma once

#include "core/base/types.h"

namespace ipcell {

// prctl(2) with this option tells whether the tree is trapped: the filter answers it so. Without
// one the kernel says EINVAL.
constexpr u32 kTrapProbe = 0x69706372;
constexpr int kTrapProbeAnswer = 76;  // ENOTUNIQ

// A page that a process has mapped if SIGSYS gets its calls to the library: at the first of these
// addresses that is free. It begins with kTrapMark. Below 4 GiB, for 32-bit programs too, and where
// sanitizers let programs map.
constexpr u64 kTrapMarkPlaces[] = {0x69700000, 0x2c700000, 0x71700000};
constexpr u64 kTrapMark = 0x5350415254435049;

// The value of a SIGSYS that was sent instead of the kernel's: the call's number and this above it.
constexpr u32 kTrapSent = 0x69700000;
constexpr u32 kTrapSentMask = 0xfff00000;
// Where in its siginfo_t the call's first argument is (behind the value, in what the kernel passes
// on), in 64-bit programs: aarch64 has the result in that argument's register.
constexpr u32 kTrapFirstPlace = 32;

// What the call seems to return until the library has made it.
constexpr int kTrapPending = 77;  // EBADFD

}  // namespace ipcell
