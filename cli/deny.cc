#include "cli/deny.h"

#include <cerrno>
#include <cstring>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"

namespace ipcell::cli {

bool is_seccomp_possible(std::uint32_t action) {
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool is_denial_possible() { return is_seccomp_possible(SECCOMP_RET_ERRNO); }

void want_seccomp(const char* option, std::uint32_t action) {
  if (is_seccomp_possible(action)) return;
  throw Failure(fmt::format("{}: no such seccomp filters here ({}): the kernel lacks them, or a "
                            "container forbids them; run without {}",
                            option, std::strerror(errno), option));
}

Denial::Denial() : filter_((want_seccomp("--deny", SECCOMP_RET_ERRNO), "--deny")) {
  filter_.answer_ipc(SCMP_ACT_ERRNO(ENOSYS));
}

// libseccomp sets PR_SET_NO_NEW_PRIVS first.
int Denial::load() const { return seccomp_load(filter_.get()); }

}  // namespace ipcell::cli
