#include "cli/runner.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "core/cell/cell_dir.h"
#include "core/cell/task_table.h"

namespace ipcell::cli {

namespace {

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

u64 start_time_of(pid_t pid) {
  u64 start = 0;
  bool is_zombie = false;
  return read_process(pid, &start, &is_zombie) && !is_zombie ? start : 0;
}

std::string read_text(int fd) {
  char buffer[512];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  return std::string(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
}

}  // namespace

RunnerFile::RunnerFile(const std::string& folder) {
  const std::string path = folder + "/" + kRunnerFile;
  // Locked and written before it gets its name: nobody sees the file of a live runner without.
  const std::string draft = folder + "/" + kCellFile + ".runner";
  fd_ = open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd_ < 0) throw Failure(fmt::format("{}: {}", path, std::strerror(errno)));
  flock(fd_, LOCK_EX);
  const std::string text = fmt::format("pid {}\nstart {}\npidns {}\nboot {}\n", getpid(),
                                       start_time_of(getpid()), own_pid_namespace(), boot_id());
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(draft.c_str(), path.c_str()) != 0) {
    const int error = errno;
    close(fd_);
    throw Failure(fmt::format("{}: {}", path, std::strerror(error)));
  }
}

RunnerFile::~RunnerFile() { close(fd_); }

Runner look_at_runner(const std::string& folder) {
  const std::string path = folder + "/" + kRunnerFile;
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return {};
  Runner runner{RunnerState::Gone, 0};
  u64 start = 0;
  u64 pid_namespace = 0;
  std::string boot;
  std::istringstream text(read_text(fd));
  for (std::string word; text >> word;) {
    if (word == "pid") text >> runner.pid;
    if (word == "start") text >> start;
    if (word == "pidns") text >> pid_namespace;
    if (word == "boot") text >> boot;
  }
  if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    runner.state = RunnerState::Alive;
  } else if (boot == boot_id()) {
    if (pid_namespace != own_pid_namespace()) {
      runner.state = RunnerState::Unknown;
    } else if (start != 0 && start == start_time_of(runner.pid)) {
      runner.state = RunnerState::Alive;
    }
  }
  close(fd);
  return runner;
}

}  // namespace ipcell::cli
