// The program stays in this process's group, and the terminal is left alone: so Ctrl-C, Ctrl-Z and
// a hang-up reach it from the kernel itself, and all that remains to be done here is
//  - to pass on what was sent to this process alone;
//  - to stop when it has stopped, so that the shell sees its job stopped, and
//  - to die after it, with its status.
#include "cli/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

namespace ipcell::cli {

namespace {

// What the child writes into the pipe if it cannot become the program.
struct Trouble {
  ChildEnd::Stage stage;
  int error;
};

// /proc/PID/stat: the state's letter and the parent.
struct ProcessState {
  char letter = '?';
  pid_t parent = 0;
};

ProcessState read_state(pid_t pid) {
  ProcessState state;
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  // The name in parentheses may hold anything.
  const std::size_t end = line.rfind(')');
  if (end != std::string::npos) {
    std::istringstream(line.substr(end + 1)) >> state.letter >> state.parent;
  }
  return state;
}

bool is_descendant(pid_t pid, pid_t ancestor) {
  for (int depth = 0; depth < 64 && pid > 1; ++depth) {
    if (pid == ancestor) return true;
    pid = read_state(pid).parent;
  }
  return false;
}

// Everything that can be waited for, but what a fault of this process itself would raise.
sigset_t waited_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&set, number);
  return set;
}

bool is_foreground() {
  const int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal < 0) return false;
  const bool result = tcgetpgrp(terminal) == getpgrp();
  close(terminal);
  return result;
}

// The descriptors of the caller are the program's business: a pipe that the program closes must be
// closed. Standard error stays, for what there is to say at the end.
void let_go_of_descriptors(std::vector<int> kept) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (null > STDERR_FILENO) close(null);
  }
  std::sort(kept.begin(), kept.end());
  unsigned first = STDERR_FILENO + 1;
  for (int descriptor : kept) {
    if (descriptor < static_cast<int>(first)) continue;
    if (descriptor > static_cast<int>(first))
      close_range(first, static_cast<unsigned>(descriptor) - 1, 0);
    first = static_cast<unsigned>(descriptor) + 1;
  }
  close_range(first, ~0u, 0);
}

class Supervisor {
 public:
  Supervisor(const StartedChild& child, const sigset_t& signals)
      : child_(child.pid), reporter_(child.reporter), signals_(signals) {}

  // Returns the child's status.
  int watch() {
    for (;;) {
      siginfo_t info;
      const int number = sigwaitinfo(&signals_, &info);
      if (number == SIGCHLD) {
        if (const std::optional<int> status = reap()) return *status;
      } else if (number == report_signal() && info.si_pid == reporter_) {
        if (const std::optional<int> status = take(info.si_value.sival_int)) return *status;
      } else if (number == SIGCONT) {
        resume(info);
      } else if (number > 0 && is_to_be_forwarded(number, info)) {
        forward(number, info);
      }
    }
  }

 private:
  // As process 1 of a container this process inherits others' children: they are reaped, no more.
  std::optional<int> reap() {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
      if (pid == reporter_ && !WIFSTOPPED(status)) return last_report().value_or(status);
      if (pid != child_) continue;
      if (const std::optional<int> end = take(status)) return end;
    }
    // Somebody else's waitpid cannot be: the child is there until it was reaped here.
    return std::nullopt;
  }

  // The reporter has ended. Its own end is told first, but what it had to report is there.
  std::optional<int> last_report() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, report_signal());
    const timespec no_time = {};
    siginfo_t info;
    while (sigtimedwait(&set, &info, &no_time) == report_signal()) {
      const int status = info.si_value.sival_int;
      if (info.si_pid == reporter_ && !WIFSTOPPED(status)) return status;
    }
    spdlog::error("the process that serves --trap has ended before the program");
    return std::nullopt;
  }

  std::optional<int> take(int status) {
    if (!WIFSTOPPED(status)) return status;
    stop_too(WSTOPSIG(status));
    return std::nullopt;
  }

  // SIGSTOP is a matter between a debugger, a test or a supervisor and the program, unless the
  // program suspends itself on Ctrl-Z in this way: then a shell waits for its job to stop.
  void stop_too(int number) {
    if (number == SIGSTOP && !is_foreground()) return;
    was_stopped_ = true;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);  // here this process stops, until SIGCONT
    sigprocmask(SIG_BLOCK, &set, nullptr);
  }

  // A shell continues the whole group, child included. Only one that sleeps on was left out.
  void resume(const siginfo_t& info) {
    const bool after_stop = std::exchange(was_stopped_, false);
    if (read_state(child_).letter == 'T' || !after_stop) forward(SIGCONT, info);
  }

  bool is_to_be_forwarded(int number, const siginfo_t& info) const {
    if (info.si_code == SI_KERNEL) {
      // From the terminal: the kernel sent it to each process of the group. The rest (an alarm(2)
      // set before this process's exec, a CPU limit) came here alone.
      const bool is_of_terminal = number == SIGINT || number == SIGQUIT || number == SIGTSTP ||
                                  number == SIGTTIN || number == SIGTTOU || number == SIGHUP ||
                                  number == SIGWINCH;
      return !is_of_terminal || getpgid(child_) != getpgrp();
    }
    if (info.si_code > 0) return true;  // the kernel's too, of other kinds
    // The program, when it signals its group, has had the signal itself.
    return info.si_pid != getpid() && !(info.si_pid > 0 && is_descendant(info.si_pid, child_));
  }

  void forward(int number, const siginfo_t& info) const {
    if (info.si_code == SI_QUEUE) {
      sigqueue(child_, number, info.si_value);
    } else {
      kill(child_, number);
    }
  }

  pid_t child_;
  pid_t reporter_;
  sigset_t signals_;
  bool was_stopped_ = false;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void become_program(const ChildPlan& plan, int pipe) {
  Trouble trouble{ChildEnd::Stage::Exec, 0};
  if (plan.confine) trouble.error = -plan.confine();
  if (trouble.error != 0) {
    trouble.stage = ChildEnd::Stage::Confine;
  } else {
    const std::vector<char*> arguments = pointers(plan.command);
    const std::vector<char*> environment = pointers(plan.environment);
    execvpe(arguments[0], arguments.data(), environment.data());
    trouble.error = errno;
  }
  [[maybe_unused]] const ssize_t written = write(pipe, &trouble, sizeof trouble);
  _exit(1);
}

}  // namespace

int report_signal() { return SIGRTMIN + 7; }

ChildEnd run_child(const ChildPlan& plan) {
  int trouble_pipe[2];
  if (pipe2(trouble_pipe, O_CLOEXEC) != 0) return {ChildEnd::Stage::Fork, errno, 0};
  const sigset_t signals = waited_signals();
  sigset_t old_mask;
  sigprocmask(SIG_BLOCK, &signals, &old_mask);
  // With SIGCHLD ignored, which is inherited, the kernel would reap the child and lose its status.
  const sighandler_t old_sigchld = signal(SIGCHLD, SIG_DFL);
  const StartedChild child = plan.start ? plan.start() : StartedChild{fork(), 0};
  if (child.pid < 0) {
    const int error = errno;
    close(trouble_pipe[0]);
    close(trouble_pipe[1]);
    return {ChildEnd::Stage::Fork, error, 0};
  }
  if (child.pid == 0) {
    signal(SIGCHLD, old_sigchld);
    sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    become_program(plan, trouble_pipe[1]);
  }
  close(trouble_pipe[1]);
  let_go_of_descriptors({plan.kept_descriptor, trouble_pipe[0]});
  ChildEnd end;
  end.status = Supervisor(child, signals).watch();
  Trouble trouble;
  if (read(trouble_pipe[0], &trouble, sizeof trouble) == sizeof trouble) {
    end.stage = trouble.stage;
    end.error = trouble.error;
  }
  close(trouble_pipe[0]);
  return end;
}

}  // namespace ipcell::cli
