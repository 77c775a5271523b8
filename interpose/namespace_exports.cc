// unshare(2): what of it concerns a cell.
#include <sched.h>
#include <unistd.h>

#include "interpose/process.h"
#include "interpose/real.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

// Linux: kernel/fork.c:ksys_unshare(): a thread that leaves the namespace leaves the adjustments
// too. The kernel does so after all that can fail.
IPCELL_EXPORT int unshare(int flags) noexcept {
  const int result = IPCELL_REAL(unshare)(flags);
  // A child of vfork(2) leaves what it never shared.
  if (result != 0 || ipcell::is_borrowed_memory()) return result;
  if ((flags & (CLONE_SYSVSEM | CLONE_NEWIPC)) != 0) {
    const bool is_alone = ipcell::count_threads(getpid()) == 1;
    if (ipcell::Task* task = ipcell::task_if_any()) {
      ipcell::sys_unshare_undo(*task, is_alone);
    } else if (!is_alone) {
      ipcell::be_undo_apart();
    }
  }
  // A new user namespace gives all capabilities in it.
  ipcell::forget_credentials();
  return 0;
}
