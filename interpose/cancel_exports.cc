#include <pthread.h>

#include "core/base/atomic.h"
#include "core/cell/futex.h"
#include "interpose/cancel.h"
#include "interpose/real.h"
#include "interpose/signal_actions.h"
#include "interpose/signals_blocked.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<int(int, int*)> real_setcanceltype("pthread_setcanceltype");
constinit Real<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>
    real_create("pthread_create");

__attribute__((constructor)) void resolve_cancel() { real_setcanceltype.resolve(); }

constexpr int kCancelSignal = 32;  // glibc's SIGCANCEL
enum : u32 { kNotTried, kTrying, kDone };
u32 g_chaining;
constexpr i64 kSecond = 1000000000;

void* wait_for_end(void* is_over) {
  auto& word = *static_cast<u32*>(is_over);
  while (load_acquire(word) == 0) futex_wait(word, 0, kSecond);
  return nullptr;
}

// glibc sets its handler when a thread is first cancelled: here one that does nothing else.
void make_libc_set_handler() {
  const WithoutSignals blocked;
  pthread_t thread;
  u32 is_over = 0;
  if (real_create(&thread, nullptr, wait_for_end, &is_over) != 0) return;
  pthread_cancel(thread);
  store_release(is_over, 1u);
  futex_wake(is_over, 1);
  pthread_join(thread, nullptr);
}

// Without memory for a thread all is as libc has it.
IPCELL_COLD void chain_cancel_signal() {
  u32 expected = kNotTried;
  if (!compare_exchange(g_chaining, expected, u32{kTrying})) return;
  int state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  if (!chain_handler(kCancelSignal)) {
    make_libc_set_handler();
    chain_handler(kCancelSignal);
  }
  store_release(g_chaining, u32{kDone});
  pthread_setcancelstate(state, nullptr);
}

}  // namespace

int set_cancel_type(int type, int* old) { return real_setcanceltype(type, old); }

}  // namespace ipcell

IPCELL_EXPORT int pthread_setcanceltype(int type, int* old) {
  if (type == PTHREAD_CANCEL_ASYNCHRONOUS &&
      ipcell::load_acquire(ipcell::g_chaining) != ipcell::kDone) {
    ipcell::chain_cancel_signal();
  }
  return ipcell::set_cancel_type(type, old);
}
