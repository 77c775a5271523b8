#include "cli/doctor_checks.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <linux/seccomp.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/deny.h"
#include "cli/places.h"
#include "cli/text.h"
#include "cli/trap/filter.h"
#include "core/base/sys.h"
#include "core/cell/liveness.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ipcell::cli {

namespace {

using Level = Finding::Level;

constexpr std::uint64_t kRoomWanted = 16 << 20;

Finding check_futex_waitv() {
  // No words to wait on: EINVAL from a kernel that knows the call.
  if (sys::call(SYS_futex_waitv, 0, 0, 0, 0, 0) == -EINVAL) {
    return {Level::Ok, "futex_waitv", "a sleeper learns at once that its peer was killed", ""};
  }
  return {Level::Note, "futex_waitv",
          "not here (Linux 5.16 has it): a killed peer is noticed within 50 ms", ""};
}

Finding check_robust_futexes() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return {Level::Bad, "robust futexes", std::strerror(errno), "free some memory"};
  auto& token = *static_cast<Token*>(page);
  const pid_t child = fork();
  if (child == 0) _exit(take_token(token) == 0 ? 0 : 1);
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool works = status == 0 && (load_acquire(token.word) & kFutexOwnerDied) != 0;
  munmap(page, 4096);
  if (works)
    return {Level::Ok, "robust futexes", "the kernel marks what a killed process held", ""};
  return {Level::Bad, "robust futexes", "the kernel does not mark what a killed process held",
          "a cell cannot recover from a kill here: run on Linux itself, not on an emulation of it"};
}

Finding check_populate() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool works = page != MAP_FAILED && madvise(page, 4096, MADV_POPULATE_WRITE) == 0;
  if (page != MAP_FAILED) munmap(page, 4096);
  if (works) return {Level::Ok, "MADV_POPULATE_WRITE", "memory is reserved in one call", ""};
  return {Level::Note, "MADV_POPULATE_WRITE",
          "not here (Linux 5.14 has it): memory is reserved page by page", ""};
}

Finding check_seccomp() {
  if (is_denial_possible()) return {Level::Ok, "seccomp filters", "`ipcell run --deny` works", ""};
  return {Level::Note, "seccomp filters",
          fmt::format("not here ({}): `ipcell run --deny` fails", std::strerror(errno)), ""};
}

// Raw calls: inside a cell the wrappers would answer for it.
Finding check_own_ipc(const char* what, long result) {
  if (result == -ENOSYS) {
    return {Level::Note, what, "the kernel has none: programs need a cell for it", ""};
  }
  return {Level::Note, what, "the kernel has its own: programs without a cell use that", ""};
}

// The folder itself, or the nearest that is there above it.
std::string existing_part(std::string path) {
  while (path.size() > 1 && access(path.c_str(), F_OK) != 0) {
    path = std::filesystem::path(path).parent_path();
  }
  return path;
}

Finding judge_room(const std::string& folder) {
  struct statvfs filesystem;
  if (statvfs(existing_part(folder).c_str(), &filesystem) != 0) {
    return {Level::Warning, "room", std::strerror(errno), "set IPCELL_DIR to another folder"};
  }
  const std::uint64_t room = static_cast<std::uint64_t>(filesystem.f_bavail) * filesystem.f_frsize;
  const std::string text = format_bytes(room) + " free for messages";
  if (room >= kRoomWanted) return {Level::Ok, "room", text, ""};
  return {
      Level::Warning, "room", text,
      "free some room, or set IPCELL_DIR to a folder elsewhere (a container's /dev/shm grows with "
      "--shm-size)"};
}

// As choose_base() would decide, without making anything.
DirStatus judge_base(const DirRequest& request, const char* path) {
  DirStatus status = check_base(path, request, Create::No);
  if (status.fault != DirFault::NotFound) return status;
  const std::string parent = std::filesystem::path(path).parent_path();
  if (access(parent.c_str(), F_OK) != 0) return status;
  if (access(parent.c_str(), W_OK | X_OK) != 0) return {DirFault::Unwritable, 0};
  return {};
}

Finding judge_limit(const char* what, int resource, const char* option) {
  struct rlimit limit;
  const char* advice = "raise it";
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return {Level::Ok, what, "unlimited", ""};
  }
  const std::string text = fmt::format("{} ({})", format_bytes(limit.rlim_cur), option);
  if (limit.rlim_cur > kCellSize) return {Level::Ok, what, text, ""};
  return {Level::Bad, what,
          fmt::format("{}: less than a cell's {}, most of it never used", text,
                      format_bytes(kCellSize)),
          fmt::format("{}: {} unlimited", advice, option)};
}

Finding check_names() {
  if (has_dev_shm()) return {Level::Ok, "POSIX names", "in /dev/shm; in the cell with --posix", ""};
  return {Level::Ok, "POSIX names", "in the cell: /dev/shm cannot be used", ""};
}

// Yama's rule on who may ptrace(2) whom.
int ptrace_scope() {
  int scope = 0;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  return scope;
}

Finding check_trap() {
  constexpr const char* kWhat = "inline system calls";
  if (!is_seccomp_possible(SECCOMP_RET_TRAP))
    return {Level::Note, kWhat, "no seccomp filters here, so no --trap", ""};
  if (!are_notifications_possible()) {
    return {Level::Note, kWhat,
            "with --trap, but for static programs: that needs Linux 5.19, and to be outside of "
            "another filter that hands over calls",
            ""};
  }
  if (geteuid() != 0 && ptrace_scope() > 1) {
    return {Level::Note, kWhat,
            "with --trap, but for static programs: nobody may look into them here",
            "sysctl kernel.yama.ptrace_scope=1"};
  }
  return {Level::Ok, kWhat, "reach the cell with --trap, those of static programs too", ""};
}

}  // namespace

std::vector<Finding> check_kernel() {
  return {check_futex_waitv(),
          check_robust_futexes(),
          check_populate(),
          check_seccomp(),
          check_trap(),
          check_own_ipc("System V IPC", sys::call(SYS_msgctl, -1, IPC_STAT, 0)),
          check_own_ipc("POSIX message queues", sys::call(SYS_mq_getsetattr, -1, 0, 0))};
}

std::vector<Finding> check_cells(const Places& places) {
  std::vector<Finding> findings;
  const DirRequest request = places.request();
  const bool is_named = request.ipcell_dir[0] != '\0';
  std::string taken;
  for (u32 index = 0; index < kBaseCandidates; ++index) {
    CellPath path;
    DirStatus status = base_candidate(request, index, &path);
    if (is_named && index > 0) break;
    if (status.fault == DirFault::NotFound) {
      findings.push_back(
          {Level::Note, "$XDG_RUNTIME_DIR/ipcell", "no candidate: the variable is not set", ""});
      continue;
    }
    if (!taken.empty()) {
      findings.push_back({Level::Note, path.text, "not needed", ""});
      continue;
    }
    if (status.ok()) status = judge_base(request, path.text);
    if (status.ok()) {
      taken = path.text;
      const char* reason = is_named ? "cells go here, as IPCELL_DIR says" : "cells go here";
      findings.push_back({Level::Ok, path.text, reason, ""});
    } else {
      findings.push_back({is_named ? Level::Bad : Level::Warning, path.text,
                          std::string("not taken: ") + status.describe(), ""});
    }
  }
  if (taken.empty()) {
    findings.push_back({Level::Bad, "no folder", "there is no place to put cells in",
                        "set IPCELL_DIR to a folder of your own"});
  } else {
    findings.push_back(judge_room(taken));
  }
  findings.push_back(check_names());
  return findings;
}

std::vector<Finding> check_limits() {
  return {judge_limit("file size", RLIMIT_FSIZE, "ulimit -f"),
          judge_limit("address space", RLIMIT_AS, "ulimit -v")};
}

}  // namespace ipcell::cli
