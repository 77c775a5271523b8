#include "cli/deny.h"

#include <cerrno>
#include <cstring>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"

namespace ipcell::cli {

namespace {

// Each under all the names that some architecture has for it: the 64-bit times of 32-bit machines,
// and ipc(2), through which i386 makes all System V calls.
constexpr int kDenied[] = {
    SCMP_SYS(msgget),          SCMP_SYS(msgsnd),
    SCMP_SYS(msgrcv),          SCMP_SYS(msgctl),
    SCMP_SYS(semget),          SCMP_SYS(semop),
    SCMP_SYS(semtimedop),      SCMP_SYS(semtimedop_time64),
    SCMP_SYS(semctl),          SCMP_SYS(shmget),
    SCMP_SYS(shmat),           SCMP_SYS(shmdt),
    SCMP_SYS(shmctl),          SCMP_SYS(ipc),
    SCMP_SYS(mq_open),         SCMP_SYS(mq_unlink),
    SCMP_SYS(mq_timedsend),    SCMP_SYS(mq_timedsend_time64),
    SCMP_SYS(mq_timedreceive), SCMP_SYS(mq_timedreceive_time64),
    SCMP_SYS(mq_notify),       SCMP_SYS(mq_getsetattr),
};

// What else the kernel may run on this machine. Calls of an architecture that is not in the filter
// are answered with ENOSYS, all of them.
constexpr std::uint32_t kArchitectures[] = {
#if defined(__x86_64__) || defined(__i386__)
    SCMP_ARCH_X86_64,
    SCMP_ARCH_X86,
    SCMP_ARCH_X32,
#elif defined(__aarch64__)
    SCMP_ARCH_AARCH64,
    SCMP_ARCH_ARM,
#else
    SCMP_ARCH_NATIVE,
#endif
};

void check(int result, const char* what) {
  if (result < 0) {
    throw Failure(fmt::format("--deny: {}: {}; run without --deny", what, std::strerror(-result)));
  }
}

}  // namespace

bool is_denial_possible() {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Denial::Denial() : filter_(nullptr) {
  if (!is_denial_possible()) {
    throw Failure(fmt::format("--deny: no seccomp filters here ({}): the kernel lacks them, or a "
                              "container forbids them; run without --deny",
                              std::strerror(errno)));
  }
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) throw Failure("--deny: libseccomp could not make a filter");
  filter_ = filter;
  try {
    check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)),
          "setting the answer to other architectures");
    for (const std::uint32_t architecture : kArchitectures) {
      const int result = seccomp_arch_add(filter, architecture);
      check(result == -EEXIST ? 0 : result, "adding an architecture");
    }
    for (const int number : kDenied) {
      check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0), "adding a system call");
    }
  } catch (...) {
    seccomp_release(filter);
    throw;
  }
}

Denial::~Denial() { seccomp_release(filter_); }

// libseccomp sets PR_SET_NO_NEW_PRIVS first.
int Denial::load() const { return seccomp_load(filter_); }

}  // namespace ipcell::cli
