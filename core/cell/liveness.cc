#include "core/cell/liveness.h"

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
  // The kernel wakes at death only where this bit says that somebody may wait.
  __atomic_fetch_or(&token.word, kFutexWaiters, __ATOMIC_ACQ_REL);
  return 0;
}

void drop_token(Token& token) { pthread_mutex_unlock(reinterpret_cast<pthread_mutex_t*>(&token)); }

}  // namespace ipcell
