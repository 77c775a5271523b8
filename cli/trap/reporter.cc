#include "cli/trap/reporter.h"

#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"

namespace ipcell::cli {

Reporter::Reporter(pid_t reader, pid_t child) : reader_(reader), child_(child) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

Reporter::~Reporter() { close(signals_); }

void Reporter::report() {
  signalfd_siginfo ignored;
  while (read(signals_, &ignored, sizeof ignored) == sizeof ignored) {
  }
  int status;
  while (waitpid(child_, &status, WNOHANG | WUNTRACED) == child_) {
    has_ended_ = !WIFSTOPPED(status);
    union sigval value = {};
    value.sival_int = status;
    // It may have been killed, and its number given to another.
    if (getppid() == reader_) sigqueue(reader_, report_signal(), value);
  }
}

void Reporter::wait_for_end() {
  for (report(); !has_ended_; report()) {
    pollfd event = {signals_, POLLIN, 0};
    poll(&event, 1, -1);
  }
}

}  // namespace ipcell::cli
