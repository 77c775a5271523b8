// Named POSIX semaphores and shared memory: the cell's where they are wanted there, else libc's.
// What is done with them afterwards, sem_wait(3) and mmap(2), is libc's own.
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "interpose/posix_names.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

using ipcell::has_names_in_cell;
using ipcell::to_libc;

IPCELL_EXPORT sem_t* sem_open(const char* name, int flags, ...) noexcept {
  mode_t mode = 0;
  unsigned value = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    value = va_arg(rest, unsigned);
    va_end(rest);
  }
  if (!has_names_in_cell()) return IPCELL_REAL(sem_open)(name, flags, mode, value);
  sem_t* semaphore = SEM_FAILED;
  to_libc(ipcell::open_semaphore(name, flags, mode, value, &semaphore));
  return semaphore;
}

IPCELL_EXPORT int sem_close(sem_t* semaphore) noexcept {
  return ipcell::close_semaphore(semaphore) ? 0 : IPCELL_REAL(sem_close)(semaphore);
}

IPCELL_EXPORT int sem_unlink(const char* name) noexcept {
  if (!has_names_in_cell()) return IPCELL_REAL(sem_unlink)(name);
  return static_cast<int>(to_libc(ipcell::unlink_semaphore(name)));
}

IPCELL_EXPORT int shm_open(const char* name, int flags, mode_t mode) {
  if (!has_names_in_cell()) return IPCELL_REAL(shm_open)(name, flags, mode);
  return static_cast<int>(to_libc(ipcell::open_memory(name, flags, mode)));
}

IPCELL_EXPORT int shm_unlink(const char* name) {
  if (!has_names_in_cell()) return IPCELL_REAL(shm_unlink)(name);
  return static_cast<int>(to_libc(ipcell::unlink_memory(name)));
}
