#include "peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <stdexcept>
#include <system_error>

#include "cpus.h"
#include "objects.h"

namespace ipcell::bench {
namespace {

constexpr int kReadyMs = 10'000;
constexpr int kEndMs = 5'000;

struct Pipe {
  int read_end;
  int write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe2");
  return {ends[0], ends[1]};
}

// Keeps the write end open to its death: that is what the parent watches.
[[noreturn]] void live_as_peer(const Pipe& pipe, pid_t parent, const cpu_set_t& cpus,
                               const std::function<int()>& body) {
  int status = 1;
  try {
    leave_objects_to_parent();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    confine_to(cpus);
    if (write(pipe.write_end, "r", 1) == 1) status = body();
  } catch (const std::exception&) {
    status = 1;
  }
  _exit(status);
}

// The events of one descriptor that came within the time, 0 if none. Not for use under a Ticker.
short poll_one(int fd, short events, int timeout_ms) {
  pollfd watched = {fd, events, 0};
  return poll(&watched, 1, timeout_ms) > 0 ? watched.revents : short{0};
}

bool has_hung_up(int fd, int timeout_ms) { return (poll_one(fd, 0, timeout_ms) & POLLHUP) != 0; }

bool is_ready(int fd) {
  char byte = 0;
  return (poll_one(fd, POLLIN, kReadyMs) & POLLIN) != 0 && read(fd, &byte, 1) == 1;
}

int reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void on_tick(int) {}

void tick_every(time_t seconds) {
  const itimerval timer = {{seconds, 0}, {seconds, 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

Peers::~Peers() { kill(); }

void Peers::kill() {
  for (const Peer& peer : peers_) {
    ::kill(peer.pid, SIGKILL);
    reap(peer.pid);
    close(peer.alive_fd);
  }
  peers_.clear();
}

pid_t Peers::add(const cpu_set_t& cpus, const std::function<int()>& body) {
  peers_.reserve(peers_.size() + 1);
  const Pipe pipe = make_pipe();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) live_as_peer(pipe, parent, cpus, body);
  const int fork_errno = errno;
  close(pipe.write_end);
  if (pid < 0) {
    close(pipe.read_end);
    throw std::system_error(fork_errno, std::generic_category(), "fork");
  }
  peers_.push_back({pid, pipe.read_end});
  if (!is_ready(pipe.read_end)) throw std::runtime_error("a peer process did not start");
  return pid;
}

bool Peers::are_alive() const {
  for (const Peer& peer : peers_) {
    if (has_hung_up(peer.alive_fd, 0)) return false;
  }
  return true;
}

void Peers::finish() {
  while (!peers_.empty()) {
    const Peer peer = peers_.back();
    if (!has_hung_up(peer.alive_fd, kEndMs)) throw std::runtime_error("a peer process did not end");
    peers_.pop_back();
    const int status = reap(peer.pid);
    close(peer.alive_fd);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      throw std::runtime_error("a peer process failed");
  }
}

void check_progress(const Peers& peers, int ticks) {
  if (!peers.are_alive()) throw std::runtime_error("a peer process died");
  if (ticks >= 10) throw std::runtime_error("nothing came within ten seconds");
}

Ticker::Ticker() {
  struct sigaction action = {};
  action.sa_handler = on_tick;  // No SA_RESTART: the blocked call is to come back.
  sigaction(SIGALRM, &action, nullptr);
  tick_every(1);
}

Ticker::~Ticker() { tick_every(0); }

}  // namespace ipcell::bench
