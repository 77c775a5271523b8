// Named POSIX semaphores and shared memory of a cell. They are ordinary files in its folder
// `posix`, as glibc keeps its own in /dev/shm, with glibc's bytes: what a program does with them
// once they are open is libc's and the kernel's alone.
#pragma once

#include <semaphore.h>
#include <sys/types.h>

#include "core/base/types.h"

namespace ipcell {

// True if names are the cell's in this process: IPCELL_POSIX asks for it, or there is no /dev/shm
// that it may write to. Decided at the first call, for all its life: a name must not mean two
// things. False if there is no cell.
bool has_names_in_cell();

// Where names are the cell's. All return >= 0 or -errno.
long open_semaphore(const char* name, int flags, mode_t mode, u32 value, sem_t** semaphore);
long unlink_semaphore(const char* name);
long open_memory(const char* name, int flags, mode_t mode);
long unlink_memory(const char* name);

// False if `semaphore` is none of the cell's.
bool close_semaphore(sem_t* semaphore);

}  // namespace ipcell
