#include "cli/sweep/keeper.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"

namespace ipcell::cli {

namespace {

constexpr int kControl = 3, kResult = 4;

struct Pipe {
  Descriptor read_end, write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Failure(fmt::format("pipe: {}", std::strerror(errno)));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void write_all(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t size = write(fd, bytes.data() + done, bytes.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    done += static_cast<std::size_t>(size);
  }
}

// Puts both where nothing else is, and closes all others: a pipe must end with this process's
// parent.
void keep_only(int control, int result) {
  const int first = fcntl(control, F_DUPFD_CLOEXEC, kResult + 1);
  const int second = fcntl(result, F_DUPFD_CLOEXEC, kResult + 1);
  dup3(first, kControl, O_CLOEXEC);
  dup3(second, kResult, O_CLOEXEC);
  close_range(kResult + 1, ~0u, 0);
}

}  // namespace

KeeperPool::KeeperPool(const RunSetting& setting) : setting_(setting) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, &old_mask_);
  signals_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  // Ignored children, which is inherited, could not be waited for.
  signal(SIGCHLD, SIG_DFL);
}

KeeperPool::~KeeperPool() {
  for (Keeper& keeper : keepers_) keeper.control.reset();
  for (const Keeper& keeper : keepers_) waitpid(keeper.pid, nullptr, 0);
  sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
}

void KeeperPool::keep(const RunRequest& request, int control, int result) {
  // Ctrl-C is the parent's.
  setsid();
  keep_only(control, result);
  sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
  Observation seen;
  try {
    seen = run_trial(setting_, request, kControl);
  } catch (const Aborted&) {
    _exit(1);
  } catch (const std::exception& error) {
    seen = Observation();
    seen.failure = error.what();
  }
  write_all(kResult, pack(seen));
  _exit(0);
}

void KeeperPool::start(std::size_t tag, const RunRequest& request) {
  Pipe control = make_pipe();
  Pipe result = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw Failure(fmt::format("no process could be made: {}", std::strerror(errno)));
  if (pid == 0) keep(request, control.read_end.get(), result.write_end.get());
  keepers_.push_back({tag, pid, std::move(control.write_end), std::move(result.read_end), ""});
}

bool KeeperPool::has_ended(Keeper& keeper) {
  std::array<char, 65536> buffer;
  const ssize_t size = read(keeper.result.get(), buffer.data(), buffer.size());
  if (size < 0 && errno == EINTR) return false;
  if (size > 0) {
    keeper.bytes.append(buffer.data(), static_cast<std::size_t>(size));
    return false;
  }
  waitpid(keeper.pid, nullptr, 0);
  return true;
}

Observation KeeperPool::observation_of(const Keeper& keeper) {
  try {
    return unpack(keeper.bytes);
  } catch (const std::exception&) {
    Observation seen;
    seen.failure = "the process that kept the run has died";
    return seen;
  }
}

std::vector<KeeperPool::Finished> KeeperPool::wait(int milliseconds) {
  std::vector<pollfd> files = {{signals_.get(), POLLIN, 0}};
  for (const Keeper& keeper : keepers_) files.push_back({keeper.result.get(), POLLIN, 0});
  poll(files.data(), files.size(), milliseconds);
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) is_interrupted_ = true;
  std::vector<Finished> finished;
  std::vector<Keeper> others;
  for (std::size_t n = 0; n < keepers_.size(); ++n) {
    if (files[n + 1].revents != 0 && has_ended(keepers_[n])) {
      finished.push_back({keepers_[n].tag, observation_of(keepers_[n])});
    } else {
      others.push_back(std::move(keepers_[n]));
    }
  }
  keepers_ = std::move(others);
  return finished;
}

}  // namespace ipcell::cli
