#include "cli/sweep/execute.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <optional>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "cli/sweep/descriptor.h"

namespace ipcell::cli {

namespace {

using Clock = std::chrono::steady_clock;

// What lives longer than the program by design, as a server that it has started, gets this long.
constexpr double kLinger = 0.5;
// Processes of other users can't be killed; nobody waits for them longer than that.
constexpr double kKillPatience = 5;

// The parent of a process, 0 if it is gone. `is_alive`: it is no zombie.
pid_t parent_of(pid_t pid, bool* is_alive) {
  std::string line;
  std::getline(std::ifstream(fmt::format("/proc/{}/stat", pid)), line);
  // The name in parentheses may hold anything.
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) return 0;
  char state = '?';
  pid_t parent = 0;
  std::istringstream(line.substr(end + 1)) >> state >> parent;
  *is_alive = state != 'Z' && state != 'X';
  return parent;
}

struct Kin {
  pid_t pid, parent;
  bool is_alive;
};

std::vector<Kin> all_processes() {
  std::vector<Kin> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir("/proc"), closedir);
  if (!entries) return result;
  while (const dirent* entry = readdir(entries.get())) {
    const int pid = std::atoi(entry->d_name);
    bool is_alive = false;
    if (pid <= 0) continue;
    const pid_t parent = parent_of(pid, &is_alive);
    if (parent != 0) result.push_back({pid, parent, is_alive});
  }
  return result;
}

// One stream of the program: what it writes is read to the end, and kept up to a limit.
class Stream {
 public:
  Stream() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Failure(fmt::format("pipe: {}", std::strerror(errno)));
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    fcntl(read_.get(), F_SETFL, O_NONBLOCK);
  }
  int read_end() const { return read_.get(); }
  int write_end() const { return write_.get(); }
  void close_write_end() { write_.reset(); }
  // Reads what is there.
  void drain() {
    std::array<char, 65536> buffer;
    while (read_) {
      const ssize_t size = read(read_.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) {
        read_.reset();
        return;
      }
      const auto count = static_cast<std::size_t>(size);
      text_.append(buffer.data(), std::min(count, kKeptOutput - text_.size()));
    }
  }
  std::string& text() { return text_; }

 private:
  Descriptor read_, write_;
  std::string text_;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// What the child writes into its pipe if it can't become the program.
struct Trouble {
  bool is_confinement;
  int error;
};

class Run {
 public:
  explicit Run(const Execution& execution) : execution_(execution) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGCHLD, SIG_DFL);
    ends_.reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~Run() { kill_all(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Ending watch() {
    start();
    while (!is_over()) {
      wait();
      out_.drain();
      err_.drain();
      reap();
    }
    if (ending_.has_timed_out && execution_.explain_hang) {
      ending_.waits = execution_.explain_hang(descendants());
    }
    ending_.survivors = static_cast<u32>(descendants().size());
    kill_all();
    out_.drain();
    err_.drain();
    ending_.out = std::move(out_.text());
    ending_.err = std::move(err_.text());
    return std::move(ending_);
  }

 private:
  void start();
  [[noreturn]] void become_program(int trouble);
  void wait();
  void reap();
  bool is_over();
  void kill_all();
  double passed() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  const Execution& execution_;
  Descriptor ends_;
  Stream out_, err_;
  pid_t program_ = -1;
  bool has_ended_ = false;     // the program
  bool has_children_ = false;  // somebody is left to wait for
  double ended_ = 0;
  Clock::time_point began_ = Clock::now();
  Ending ending_;
};

void Run::become_program(int trouble) {
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  const int null = open("/dev/null", O_RDWR);
  dup2(execution_.input >= 0 ? execution_.input : null, STDIN_FILENO);
  dup2(out_.write_end(), STDOUT_FILENO);
  dup2(err_.write_end(), STDERR_FILENO);
  close_range(STDERR_FILENO + 1, static_cast<unsigned>(trouble) - 1, 0);
  close_range(static_cast<unsigned>(trouble) + 1, ~0u, 0);
  Trouble what{false, 0};
  if (execution_.confine) what.error = -execution_.confine();
  if (what.error != 0) {
    what.is_confinement = true;
  } else {
    const std::vector<char*> arguments = pointers(execution_.command);
    const std::vector<char*> environment = pointers(execution_.environment);
    execvpe(arguments[0], arguments.data(), environment.data());
    what.error = errno;
  }
  [[maybe_unused]] const ssize_t written = write(trouble, &what, sizeof what);
  _exit(1);
}

void Run::start() {
  int trouble[2];
  if (pipe2(trouble, O_CLOEXEC) != 0) throw Failure(fmt::format("pipe: {}", std::strerror(errno)));
  Descriptor trouble_read(trouble[0]), trouble_write(trouble[1]);
  began_ = Clock::now();
  program_ = fork();
  if (program_ < 0) {
    throw Failure(fmt::format("no process could be made: {}", std::strerror(errno)));
  }
  if (program_ == 0) become_program(trouble_write.get());
  has_children_ = true;
  trouble_write.reset();
  out_.close_write_end();
  err_.close_write_end();
  Trouble what;
  if (read(trouble_read.get(), &what, sizeof what) != sizeof what) return;
  throw Failure(what.is_confinement
                    ? fmt::format("--deny: the kernel refused the filter: {}; run with --no-deny",
                                  std::strerror(what.error))
                    : fmt::format("{}: cannot be executed: {}", execution_.command[0],
                                  std::strerror(what.error)));
}

// Until something happens, or for a short time.
void Run::wait() {
  double limit = execution_.timeout - passed();
  if (has_ended_ && !execution_.waits_for_all) limit = std::min(limit, ended_ + kLinger - passed());
  const int milliseconds = static_cast<int>(std::max(0.0, std::min(limit, 1.0)) * 1000) + 1;
  pollfd files[] = {{ends_.get(), POLLIN, 0},
                    {out_.read_end(), POLLIN, 0},
                    {err_.read_end(), POLLIN, 0},
                    {execution_.abort, POLLIN, 0}};
  poll(files, std::size(files), milliseconds);
  if (files[3].revents != 0) throw Aborted();
  signalfd_siginfo info;
  while (read(ends_.get(), &info, sizeof info) == sizeof info) continue;
}

void Run::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0) has_children_ = false;
    if (pid <= 0) return;
    if (pid == program_) {
      has_ended_ = true;
      ended_ = passed();
      ending_.status = status;
      ending_.seconds = ended_;
    } else if (WIFSIGNALED(status)) {
      ending_.orphan_signal = WTERMSIG(status);
    }
  }
}

bool Run::is_over() {
  if (has_ended_ && !has_children_) return true;
  if (has_ended_ && !execution_.waits_for_all && passed() - ended_ > kLinger) return true;
  if (passed() < execution_.timeout) return false;
  ending_.has_timed_out = !has_ended_ || execution_.waits_for_all;
  ending_.seconds = passed();
  return true;
}

// Each round kills the children; theirs become children of this process by that.
void Run::kill_all() {
  const Clock::time_point until =
      Clock::now() + std::chrono::milliseconds(static_cast<int>(kKillPatience * 1000));
  while (has_children_ && Clock::now() < until) {
    for (const pid_t pid : descendants()) kill(pid, SIGKILL);
    pid_t pid;
    while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) continue;
    if (pid < 0) {
      has_children_ = false;
      return;
    }
    pollfd end = {ends_.get(), POLLIN, 0};
    poll(&end, 1, 10);
    signalfd_siginfo info;
    while (read(ends_.get(), &info, sizeof info) == sizeof info) continue;
  }
}

}  // namespace

std::vector<pid_t> descendants() {
  const std::vector<Kin> all = all_processes();
  std::vector<pid_t> result, found = {getpid()};
  while (!found.empty()) {
    std::vector<pid_t> next;
    for (const Kin& kin : all) {
      if (std::find(found.begin(), found.end(), kin.parent) == found.end()) continue;
      next.push_back(kin.pid);
      if (kin.is_alive) result.push_back(kin.pid);
    }
    found = std::move(next);
  }
  return result;
}

Ending execute(const Execution& execution) { return Run(execution).watch(); }

}  // namespace ipcell::cli
