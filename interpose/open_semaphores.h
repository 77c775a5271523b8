// The named semaphores that this process has open: each has one mapping, however often it is
// opened.
#pragma once

#include <semaphore.h>

#include "core/base/types.h"

namespace ipcell {

// What is the same semaphore for glibc: the file, under the name that was given. Names differ by
// the slashes that they begin with.
struct SemaphoreId {
  u64 device = 0;
  u64 inode = 0;
  u64 slashes = 0;
};

// Counts one more use of the semaphore, and gives its address: that of an earlier use, else
// `fresh`, a mapping of it, which is the table's from now on. If it is nullptr, a mapping of `fd`
// is made when one is needed. 0 or -errno.
long use_semaphore(const SemaphoreId& id, long fd, sem_t* fresh, sem_t** semaphore);

// Counts one use less, and unmaps it with the last. False if it is not in the table.
bool drop_semaphore(sem_t* semaphore);

// A mapping of the semaphore in the file: its address or -errno.
long map_semaphore(long fd);
void unmap_semaphore(sem_t* semaphore);

}  // namespace ipcell
