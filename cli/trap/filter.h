// The filters of `--trap`, which the kernel asks at each system call of the tree.
//
// SIGSYS (SECCOMP_RET_TRAP) is by far the cheaper way to the library, but who has no handler for it
// dies of it; a notification (SECCOMP_RET_USER_NOTIF) harms nobody. A filter can't tell who has the
// library, but it knows where the calling instruction is: only position-independent programs that a
// loader starts, which can be preloaded, are put where the first filter looks. All other code, the
// shared libraries of these included, is the second one's.
#pragma once

#include <linux/filter.h>
#include <vector>

namespace ipcell::cli {

class TrapFilters {
 public:
  // Builds them. Throws Failure where there are no seccomp filters.
  TrapFilters();

  // Puts them in force for the calling process. 0 or -errno. `*listener`: the descriptor for
  // notifications, or -errno if the kernel has none to give; then all inline calls get SIGSYS.
  // -EALREADY: the filters of an outer --trap are in force, whose server serves all cells.
  int load(int* listener) const;

 private:
  std::vector<sock_filter> notifying_;
  std::vector<sock_filter> trapping_programs_;
  std::vector<sock_filter> trapping_all_;
};

// True if the kernel can notify as these filters want it (Linux 5.19), and nobody else is notified
// of this process's calls already.
bool are_notifications_possible();

}  // namespace ipcell::cli
