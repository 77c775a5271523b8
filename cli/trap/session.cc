#include "cli/trap/session.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/failure.h"
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

// The terminal's signals are for the programs, and the caller's descriptors theirs. Standard error
// stays.
void stand_apart(int kept) {
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
  }
  dup2(kept, STDERR_FILENO + 1);
  close_range(STDERR_FILENO + 2, ~0u, 0);
}

[[noreturn]] void serve(const CellPlace& place, int socket) {
  stand_apart(socket);
  const int listener = receive_descriptor(STDERR_FILENO + 1);
  close(STDERR_FILENO + 1);
  if (listener >= 0) serve_calls(listener, place);
  _exit(0);
}

}  // namespace

TrapSession::TrapSession(const CellPlace& place) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw Failure(fmt::format("--trap: no socket: {}", std::strerror(errno)));
  const pid_t server = fork();
  if (server < 0) throw Failure(fmt::format("--trap: no process: {}", std::strerror(errno)));
  if (server == 0) {
    close(ends[0]);
    serve(place, ends[1]);
  }
  close(ends[1]);
  socket_ = ends[0];
}

TrapSession::~TrapSession() { close(socket_); }

int TrapSession::confine() const {
  int listener = -1;
  const int error = filters_.load(&listener);
  if (error != 0) return error;
  if (listener < 0) {
    spdlog::warn(
        "--trap: programs without the library will be killed at their first IPC call: the kernel "
        "can't hand over calls ({}); that needs Linux 5.19, and nobody else who does it",
        std::strerror(-listener));
    return 0;
  }
  const int result = send_descriptor(socket_, listener);
  close(listener);
  return result;
}

}  // namespace ipcell::cli
