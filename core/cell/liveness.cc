#include "core/cell/liveness.h"

#include <errno.h>
#include <pthread.h>

namespace ipcell {

static_assert(sizeof(pthread_mutex_t) <= sizeof(Token));

int take_token(Token& token) {
  auto* mutex = reinterpret_cast<pthread_mutex_t*>(&token);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  // A slot's earlier owner left a dead mutex here: glibc must not see it.
  __builtin_memset(&token, 0, sizeof token);
  pthread_mutex_init(mutex, &attributes);
  if (const int error = pthread_mutex_lock(mutex)) return -error;
  // A child of a clone(2) that was not seen has no robust list: no token. Where the kernel has none
  // for anybody (qemu-user) a death leaves no mark, and look_for_task() alone finds it.
  void* head = nullptr;
  std::size_t length = 0;
  const u32 tid = static_cast<u32>(sys::call(SYS_gettid));
  const long has_list = sys::call(SYS_get_robust_list, 0, sys::arg(&head), sys::arg(&length));
  if (has_list != -ENOSYS && (has_list != 0 || head == nullptr)) {
    drop_token(token);
    return -ENOTSUP;
  }
  // To libc a child of clone(2) still has its parent's thread id.
  if ((token.word & kFutexTidMask) != tid) store_release(token.word, tid);
  // The kernel wakes at death only where this bit says that somebody may wait.
  __atomic_fetch_or(&token.word, kFutexWaiters, __ATOMIC_ACQ_REL);
  return 0;
}

void rename_token(Token& token, u32 tid) { store_release(token.word, tid | kFutexWaiters); }

void drop_token(Token& token) {
  auto* mutex = reinterpret_cast<pthread_mutex_t*>(&token);
  // libc lets go of what has its own number of the thread alone: see take_token().
  const u32 known = static_cast<u32>(mutex->__data.__owner);
  if ((token.word & kFutexTidMask) != known) store_release(token.word, known | kFutexWaiters);
  pthread_mutex_unlock(mutex);
}

}  // namespace ipcell
