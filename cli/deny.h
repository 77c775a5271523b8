// The filter of `--deny`: the kernel's own System V IPC and POSIX message queues answer ENOSYS, in
// this process and all that it starts.
#pragma once

#include "cli/ipc_calls.h"

namespace ipcell::cli {

class Denial {
 public:
  // Builds the filter. Throws Failure where there are no seccomp filters.
  Denial();

  // Puts it in force for the calling process; with it, setuid programs get no privileges. 0 or
  // -errno.
  int load() const;

 private:
  SeccompFilter filter_;
};

// True if the kernel does that with a call: SECCOMP_RET_...
bool is_seccomp_possible(std::uint32_t action);
// True if the kernel offers what --deny needs.
bool is_denial_possible();
// Throws Failure if it does not offer seccomp filters, with `option` in front.
void want_seccomp(const char* option, std::uint32_t action);

}  // namespace ipcell::cli
