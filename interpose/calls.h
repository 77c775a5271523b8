// What the interposed IPC calls have in common: the thread's task, errno, cancellation.
#pragma once

#include <pthread.h>
#include <sys/single_threaded.h>

#include "core/cell/futex.h"
#include "interpose/cancel.h"
#include "interpose/errno.h"
#include "interpose/process.h"

namespace ipcell {

// The core's result: >= 0 or -errno.
template <class Call>
IPCELL_ALWAYS_INLINE long with_task_raw(const Call& call) {
  Task* task = current_task();
  return task != nullptr ? call(*task) : -ENOSYS;
}
// libc's: -1 and errno.
template <class Call>
IPCELL_ALWAYS_INLINE long with_task(const Call& call) {
  return to_libc(with_task_raw(call));
}

// What a cancelled thread leaves: it is taken off the queue, as a signal handler would do it.
inline void leave_wait(void*) {
  Task* task = task_if_any();
  if (task == nullptr) return;
  interrupt_wait(*task);
  task->wait_frame = nullptr;
  task->watch = nullptr;
  task->sleep = nullptr;
  // The program's own cleanup handlers come next.
  go_to_cell(kNoCell);
}

// The sleep of a blocked call, in which cancellation acts at once: no lock is held.
inline int cancellable_sleep(u32& word, u32 expected, i64 timeout_ns) {
  int result;
  int type;
  pthread_cleanup_push(leave_wait, nullptr);
  set_cancel_type(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
  result = futex_wait(word, expected, timeout_ns);
  set_cancel_type(type, nullptr);
  pthread_cleanup_pop(0);
  return result;
}

// Of a cancellation point: cancellation is decided at its start and in the sleep, nowhere else.
template <class Call>
IPCELL_ALWAYS_INLINE long at_cancellation_point_raw(const Call& call) {
  if (__libc_single_threaded == 0) {
    pthread_testcancel();
    return with_task_raw([&](Task& task) {
      task.sleep = cancellable_sleep;
      const long result = call(task);
      task.sleep = nullptr;
      return result;
    });
  }
  return with_task_raw(call);
}
template <class Call>
IPCELL_ALWAYS_INLINE long at_cancellation_point(const Call& call) {
  return to_libc(at_cancellation_point_raw(call));
}

}  // namespace ipcell
