// The interposed IPC calls: each is one line into the core.
//
// msgsnd and msgrcv are cancellation points; so they are not noexcept, and cancellation is decided
// in one place, at_cancellation_point().
#include <pthread.h>
#include <stdarg.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/single_threaded.h>

#include "core/cell/futex.h"
#include "core/syscalls.h"
#include "interpose/errno.h"
#include "interpose/memory.h"
#include "interpose/process.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

using ipcell::current_task;
using ipcell::Task;
using ipcell::to_libc;

namespace {

template <class Call>
IPCELL_ALWAYS_INLINE long with_task(Call call) {
  Task* task = current_task();
  return to_libc(task != nullptr ? call(*task) : -ENOSYS);
}

// What a cancelled thread leaves: it is taken off the queue, as a signal handler would do it.
void leave_wait(void*) {
  Task* task = ipcell::task_if_any();
  if (task == nullptr) return;
  ipcell::interrupt_wait(*task);
  task->wait_frame = nullptr;
  task->sleep = nullptr;
}

// The sleep of a blocked call, in which cancellation acts at once: no lock is held.
int cancellable_sleep(ipcell::u32& word, ipcell::u32 expected, ipcell::i64 timeout_ns) {
  int result;
  int type;
  pthread_cleanup_push(leave_wait, nullptr);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
  result = ipcell::futex_wait(word, expected, timeout_ns);
  pthread_setcanceltype(type, nullptr);
  pthread_cleanup_pop(0);
  return result;
}

// msgsnd and msgrcv: cancellation is decided at the start and in the sleep, nowhere else.
template <class Call>
IPCELL_ALWAYS_INLINE long at_cancellation_point(Call call) {
  if (__libc_single_threaded == 0) {
    pthread_testcancel();
    return with_task([&](Task& task) {
      task.sleep = cancellable_sleep;
      const long result = call(task);
      task.sleep = nullptr;
      return result;
    });
  }
  return with_task(call);
}

}  // namespace

IPCELL_EXPORT int msgget(key_t key, int flags) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_msgget(task, key, flags); }));
}

IPCELL_EXPORT int msgsnd(int id, const void* message, size_t size, int flags) {
  return static_cast<int>(at_cancellation_point(
      [&](Task& task) { return ipcell::sys_msgsnd(task, id, message, size, flags); }));
}

IPCELL_EXPORT ssize_t msgrcv(int id, void* message, size_t size, long type, int flags) {
  return at_cancellation_point(
      [&](Task& task) { return ipcell::sys_msgrcv(task, id, message, size, type, flags); });
}

IPCELL_EXPORT int msgctl(int id, int command, struct msqid_ds* buffer) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_msgctl(task, id, command, buffer); }));
}

// semop and semtimedop are no cancellation points. libc's semop calls semtimedop inside, past us:
// both are here.

IPCELL_EXPORT int semget(key_t key, int nsems, int flags) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_semget(task, key, nsems, flags); }));
}

IPCELL_EXPORT int semop(int id, struct sembuf* ops, size_t count) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_semtimedop(task, id, ops, count, nullptr); }));
}

IPCELL_EXPORT int semtimedop(int id, struct sembuf* ops, size_t count,
                             const struct timespec* timeout) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_semtimedop(task, id, ops, count, timeout); }));
}

// Only commands that take an argument were given one.
static bool takes_argument(int command) {
  switch (command) {
    case IPC_RMID:
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT: return false;
    default: return true;
  }
}

IPCELL_EXPORT int semctl(int id, int num, int command, ...) noexcept {
  // The caller's union semun: an int or a pointer, passed as a union of a word is.
  union {
    int value;
    void* buffer;
    unsigned long word;
  } argument = {.word = 0};
  if (takes_argument(command)) {
    va_list arguments;
    va_start(arguments, command);
    argument = va_arg(arguments, decltype(argument));
    va_end(arguments);
  }
  return static_cast<int>(with_task(
      [&](Task& task) { return ipcell::sys_semctl(task, id, num, command, argument.word); }));
}

IPCELL_EXPORT int shmget(key_t key, size_t size, int flags) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_shmget(task, key, size, flags); }));
}

IPCELL_EXPORT void* shmat(int id, const void* address, int flags) noexcept {
  return ipcell::attach_segment(id, address, flags);
}

IPCELL_EXPORT int shmdt(const void* address) noexcept {
  return static_cast<int>(with_task([&](Task& task) { return ipcell::sys_shmdt(task, address); }));
}

IPCELL_EXPORT int shmctl(int id, int command, struct shmid_ds* buffer) noexcept {
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_shmctl(task, id, command, buffer); }));
}
