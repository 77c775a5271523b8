#include "cli/ipc_calls.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "cli/failure.h"

namespace ipcell::cli {

SeccompFilter::SeccompFilter(const char* option)
    : option_(option), filter_(seccomp_init(SCMP_ACT_ALLOW)) {
  if (filter_ == nullptr)
    throw Failure(fmt::format("{}: libseccomp could not make a filter", option_));
  try {
    check(seccomp_attr_set(filter_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)),
          "setting the answer to other architectures");
    for (const std::uint32_t architecture : kArchitectures) {
      const int result = seccomp_arch_add(filter_, architecture);
      check(result == -EEXIST ? 0 : result, "adding an architecture");
    }
  } catch (...) {
    seccomp_release(filter_);
    throw;
  }
}

SeccompFilter::~SeccompFilter() { seccomp_release(filter_); }

void SeccompFilter::answer_ipc(std::uint32_t action) {
  for (const int number : kIpcCalls)
    check(seccomp_rule_add(filter_, action, number, 0), "adding a system call");
}

void SeccompFilter::check(int result, const char* what) const {
  if (result < 0) {
    throw Failure(
        fmt::format("{}: {}: {}; run without {}", option_, what, std::strerror(-result), option_));
  }
}

}  // namespace ipcell::cli
