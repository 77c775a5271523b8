// Atomic access to plain words of a cell. A cell's records hold plain integers (std::atomic's
// layout is the compiler's business); each access names its ordering here. Each is one access, also
// of 8 bytes on i386, by an SSE register or cmpxchg8b: see docs/locking.md.
#pragma once

#include <type_traits>

#include "core/base/annotations.h"

namespace ipcell {

template <class T>
IPCELL_ALWAYS_INLINE T load_relaxed(const T& place) {
  return __atomic_load_n(&place, __ATOMIC_RELAXED);
}
template <class T>
IPCELL_ALWAYS_INLINE T load_acquire(const T& place) {
  return __atomic_load_n(&place, __ATOMIC_ACQUIRE);
}
template <class T>
IPCELL_ALWAYS_INLINE void store_relaxed(T& place, std::type_identity_t<T> value) {
  __atomic_store_n(&place, value, __ATOMIC_RELAXED);
}
template <class T>
IPCELL_ALWAYS_INLINE void store_release(T& place, std::type_identity_t<T> value) {
  __atomic_store_n(&place, value, __ATOMIC_RELEASE);
}
template <class T>
IPCELL_ALWAYS_INLINE T exchange(T& place, std::type_identity_t<T> value) {
  return __atomic_exchange_n(&place, value, __ATOMIC_ACQ_REL);
}
// True if `place` was `expected` and now is `desired`; else `expected` is what it was.
template <class T>
IPCELL_ALWAYS_INLINE bool compare_exchange(T& place, T& expected, std::type_identity_t<T> desired) {
  return __atomic_compare_exchange_n(&place, &expected, desired, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE);
}
// Orders this thread's stores as a kill sees them: the stores of a dead thread are those before
// the instruction that it died at, so no CPU barrier is needed, only the compiler's word.
IPCELL_ALWAYS_INLINE void kill_barrier() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

IPCELL_ALWAYS_INLINE void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace ipcell
