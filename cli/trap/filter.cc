#include "cli/trap/filter.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/deny.h"
#include "cli/failure.h"
#include "core/base/trap.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace ipcell::cli {

namespace {

constexpr const char* kOption = "--trap";

// Where the kernel puts position-independent programs that have a loader: from two thirds of the
// address space on, and as far above that as it may choose at random. In units of 4 GiB.
// Of aarch64's sizes of it that of 48 bits is meant: programs elsewhere are served all the same.
// Linux: fs/binfmt_elf.c:load_elf_binary()
#if defined(__aarch64__)
constexpr std::uint32_t kProgramsFrom = 0xaaaa, kProgramsTo = 0xbaab;
#else
constexpr std::uint32_t kProgramsFrom = 0x5555, kProgramsTo = 0x6556;
#endif

// libseccomp gives its program to files alone.
std::vector<sock_filter> code_of(const SeccompFilter& filter) {
  const int file = memfd_create("ipcell-filter", MFD_CLOEXEC);
  const int result = file < 0 ? -errno : seccomp_export_bpf(filter.get(), file);
  struct stat status = {};
  std::vector<sock_filter> code;
  if (result == 0 && fstat(file, &status) == 0) {
    code.resize(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
    if (pread(file, code.data(), code.size() * sizeof(sock_filter), 0) != status.st_size)
      code.clear();
  }
  if (file >= 0) close(file);
  filter.check(result, "reading the filter");
  if (code.empty()) throw Failure(fmt::format("{}: the filter could not be read", kOption));
  return code;
}

std::vector<sock_filter> make_code(std::uint32_t action) {
  SeccompFilter filter(kOption);
  filter.answer_ipc(action);
  filter.check(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(kTrapProbeAnswer), SCMP_SYS(prctl), 1,
                                SCMP_A0(SCMP_CMP_EQ, kTrapProbe)),
               "adding the probe");
  return code_of(filter);
}

// The code for calls from programs' own text; all others pass.
std::vector<sock_filter> for_programs(const std::vector<sock_filter>& code) {
  constexpr std::uint32_t kAddressHigh = offsetof(seccomp_data, instruction_pointer) + 4;
  std::vector<sock_filter> result = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kAddressHigh),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kProgramsFrom, 0, 1),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kProgramsTo, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  result.insert(result.end(), code.begin(), code.end());
  return result;
}

long install(const std::vector<sock_filter>& code, unsigned long flags) {
  const sock_fprog program = {static_cast<unsigned short>(code.size()),
                              const_cast<sock_filter*>(code.data())};
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  return result >= 0 ? result : -errno;
}

// By an `ipcell run --trap` that this one runs under.
bool is_trapped() {
  return prctl(static_cast<int>(kTrapProbe), 0, 0, 0, 0) < 0 && errno == kTrapProbeAnswer;
}

constexpr unsigned long kNotifying =
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

}  // namespace

TrapFilters::TrapFilters() {
  want_seccomp(kOption, SECCOMP_RET_TRAP);
  notifying_ = make_code(SCMP_ACT_NOTIFY);
  trapping_all_ = make_code(SCMP_ACT_TRAP);
  trapping_programs_ = for_programs(trapping_all_);
}

int TrapFilters::load(int* listener) const {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
  *listener = static_cast<int>(install(notifying_, kNotifying));
  if (*listener == -EBUSY && is_trapped()) {
    *listener = -EALREADY;
    return 0;
  }
  // Of the two filters' answers SIGSYS is the stronger one.
  return static_cast<int>(install(*listener >= 0 ? trapping_programs_ : trapping_all_, 0));
}

bool are_notifications_possible() {
  if (!is_seccomp_possible(SECCOMP_RET_USER_NOTIF)) return false;
  const pid_t child = fork();
  if (child == 0) {
    const std::vector<sock_filter> all_pass = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    _exit(install(all_pass, kNotifying) >= 0 ? 0 : 1);
  }
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
}

}  // namespace ipcell::cli
