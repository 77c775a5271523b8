// unshare(2): what of it concerns a cell.
#include <sched.h>

#include "interpose/process.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

// Linux: kernel/fork.c:ksys_unshare(): a thread that leaves the namespace leaves the adjustments
// too. The kernel does so after all that can fail.
IPCELL_EXPORT int unshare(int flags) noexcept {
  const int result = IPCELL_REAL(unshare)(flags);
  if (result != 0) return result;
  ipcell::Task* task = ipcell::task_if_any();
  if (task != nullptr && (flags & (CLONE_SYSVSEM | CLONE_NEWIPC)) != 0) {
    ipcell::sys_unshare_undo(*task, ipcell::count_threads(task->identity.pid) == 1);
  }
  // A new user namespace gives all capabilities in it.
  ipcell::forget_credentials();
  return 0;
}
