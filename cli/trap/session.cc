#include "cli/trap/session.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/trap/reporter.h"
#include "cli/trap/server.h"

namespace ipcell::cli {

namespace {

// One descriptor in a message of one byte.
struct DescriptorMessage {
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};

  DescriptorMessage() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

int send_descriptor(int socket, int descriptor) {
  DescriptorMessage message;
  cmsghdr* const control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  return sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

// -1: the other side has none to send.
int receive_descriptor(int socket) {
  DescriptorMessage message;
  int descriptor = -1;
  if (recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* const control = CMSG_FIRSTHDR(&message.header);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS)
    std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return descriptor;
}

// The terminal's signals are for the programs, and the caller's descriptors theirs: a pipe that all
// of them have closed must be closed.
void stand_apart(int kept) {
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
  dup2(kept, STDERR_FILENO + 1);
  close_range(STDERR_FILENO + 2, ~0u, 0);
}

// Each program and each thread of one takes descriptors of the server: the limit that is meant for
// one program is too low.
void have_many_descriptors() {
  constexpr rlim_t kMany = 1 << 19;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kMany) return;
  const rlimit more = {kMany, std::max(kMany, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &more) == 0) return;  // with privileges, or within the hard limit
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void serve(const CellPlace& place, int socket, pid_t program) {
  const pid_t reader = getppid();
  stand_apart(socket);
  have_many_descriptors();
  Reporter reporter(reader, program);
  const int listener = receive_descriptor(STDERR_FILENO + 1);
  close(STDERR_FILENO + 1);
  if (listener >= 0) serve_calls(listener, place, reporter);
  // A process that ends is none of the filter's before it can be waited for.
  reporter.wait_for_end();
  _exit(0);
}

}  // namespace

StartedChild TrapSession::start() {
  int ends[2];
  int pids[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  if (pipe2(pids, O_CLOEXEC) != 0) return {};
  StartedChild started = {-1, fork()};
  if (started.reporter == 0) {
    const pid_t program = fork();
    if (program == 0) {
      socket_ = ends[0];
      close(ends[1]);
      close(pids[0]);
      close(pids[1]);
      return {0, 0};
    }
    if (write(pids[1], &program, sizeof program) != sizeof program || program < 0) _exit(1);
    close(ends[0]);
    serve(place_, ends[1], program);
  }
  close(pids[1]);
  close(ends[0]);
  close(ends[1]);
  if (started.reporter > 0 && read(pids[0], &started.pid, sizeof started.pid) <= 0)
    started.pid = -1;
  close(pids[0]);
  return started;
}

int TrapSession::confine() const {
  int listener = -1;
  const int error = filters_.load(&listener);
  if (error != 0) return error;
  if (listener < 0) {
    close(socket_);
    if (listener == -EALREADY) return 0;
    spdlog::warn(
        "--trap: programs without the library will be killed at their first IPC call: the kernel "
        "can't hand over calls ({}); that needs Linux 5.19, and nobody else who does it",
        std::strerror(-listener));
    return 0;
  }
  const int result = send_descriptor(socket_, listener);
  close(listener);
  close(socket_);
  return result;
}

}  // namespace ipcell::cli
