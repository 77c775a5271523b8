// The interposed IPC calls: each is one line into the core.
//
// msgsnd and msgrcv are cancellation points; so they are not noexcept.
#include <stdarg.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "core/syscalls.h"
#include "interpose/calls.h"
#include "interpose/fault_host.h"
#include "interpose/memory.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

using ipcell::at_cancellation_point;
using ipcell::Task;
using ipcell::with_task;

IPCELL_EXPORT int msgget(key_t key, int flags) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_msgget(task, key, flags); }));
}

IPCELL_EXPORT int msgsnd(int id, const void* message, size_t size, int flags) {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(at_cancellation_point(
      [&](Task& task) { return ipcell::sys_msgsnd(task, id, message, size, flags); }));
}

IPCELL_EXPORT ssize_t msgrcv(int id, void* message, size_t size, long type, int flags) {
  IPCELL_NOTE_CALLER();
  return at_cancellation_point(
      [&](Task& task) { return ipcell::sys_msgrcv(task, id, message, size, type, flags); });
}

IPCELL_EXPORT int msgctl(int id, int command, struct msqid_ds* buffer) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_msgctl(task, id, command, buffer); }));
}

// semop and semtimedop are no cancellation points. libc's semop calls semtimedop inside, past us:
// both are here.

IPCELL_EXPORT int semget(key_t key, int nsems, int flags) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_semget(task, key, nsems, flags); }));
}

IPCELL_EXPORT int semop(int id, struct sembuf* ops, size_t count) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_semtimedop(task, id, ops, count, nullptr); }));
}

IPCELL_EXPORT int semtimedop(int id, struct sembuf* ops, size_t count,
                             const struct timespec* timeout) noexcept {
  IPCELL_NOTE_CALLER();
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
  IPCELL_NOTE_CALLER();
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
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_shmget(task, key, size, flags); }));
}

IPCELL_EXPORT void* shmat(int id, const void* address, int flags) noexcept {
  IPCELL_NOTE_CALLER();
  return ipcell::attach_segment(id, address, flags);
}

IPCELL_EXPORT int shmdt(const void* address) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(ipcell::to_libc(ipcell::detach_segment(address)));
}

IPCELL_EXPORT int shmctl(int id, int command, struct shmid_ds* buffer) noexcept {
  IPCELL_NOTE_CALLER();
  return static_cast<int>(
      with_task([&](Task& task) { return ipcell::sys_shmctl(task, id, command, buffer); }));
}
