#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

// The sanitizers', where the test is built with them.
extern "C" __attribute__((weak)) void __sanitizer_print_stack_trace();

namespace fuzz {

Folder::Folder() {
  // Shared memory where there is: a cell is a large sparse file.
  path_ =
      (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + std::string("/ipcell-fuzz-XXXXXX");
  if (mkdtemp(path_.data()) == nullptr) {
    std::perror("no folder");
    std::exit(1);
  }
}

Folder::~Folder() {
  const std::string command = "rm -rf '" + path_ + "'";
  if (std::system(command.c_str()) != 0) std::fprintf(stderr, "%s stays\n", path_.c_str());
}

namespace {

std::string read_all(int fd) {
  std::string text(static_cast<std::size_t>(lseek(fd, 0, SEEK_END)), '\0');
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

std::string end_of(int status) {
  char text[80];
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    std::snprintf(text, sizeof text, number == SIGALRM ? "hangs" : "signal %d (%s)", number,
                  strsignal(number));
  } else {
    std::snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
  }
  return text;
}

// Says where it was when its time was over, or when the core gave up by a trap.
void on_end(int number) {
  signal(number, SIG_DFL);
  if (__sanitizer_print_stack_trace != nullptr) __sanitizer_print_stack_trace();
  raise(number);
}

}  // namespace

ChildResult run_in_child(unsigned seconds, const std::function<int()>& body) {
  static const int log = memfd_create("stderr", MFD_CLOEXEC);
  if (ftruncate(log, 0) != 0 || lseek(log, 0, SEEK_SET) != 0) return {false, "no log"};
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, STDERR_FILENO);
    for (int number : {SIGALRM, SIGILL, SIGTRAP}) {
      struct sigaction action = {};
      action.sa_handler = on_end;
      action.sa_flags = SA_NODEFER;
      sigaction(number, &action, nullptr);
    }
    alarm(seconds);
    _exit(body());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {true, read_all(log)};
  return {false, end_of(status) + "\n" + read_all(log)};
}

Options parse_options(int argc, char** argv, long default_count) {
  Options options;
  options.count = default_count;
  for (int n = 1; n < argc; ++n) {
    const std::string option = argv[n];
    if (option == "--only") {
      options.is_single = true;
    } else if (option == "--verbose") {
      options.is_verbose = true;
    } else if (n + 1 < argc && option == "--seed") {
      options.seed = std::strtoull(argv[++n], nullptr, 10);
    } else if (n + 1 < argc && option == "--count") {
      options.count = std::strtol(argv[++n], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: %s [--seed N] [--count N] [--only] [--verbose]\n", argv[0]);
      std::exit(2);
    }
  }
  if (options.is_single) options.count = 1;
  return options;
}

}  // namespace fuzz
