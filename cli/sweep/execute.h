// Runs a program once, watched: its output is kept, and nothing that it started outlives it.
//
// The calling process must be one that was made for that: it becomes the reaper of all that the
// program starts, and takes each of its children for one of those.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "cli/sweep/observation.h"

namespace ipcell::cli {

struct Execution {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=VALUE
  std::function<int()> confine;          // called before the program starts: 0 or -errno
  int input = -1;                        // descriptor of its standard input; -1: /dev/null
  double timeout = 0;                    // seconds
  // Processes that live longer than the program may do so until the timeout; else they are
  // killed soon.
  bool waits_for_all = false;
  int abort = -1;  // descriptor: when it can be read the run is given up
  // Asked when the time is over, before anything is killed: who waits for whom.
  std::function<std::vector<std::string>(const std::vector<pid_t>&)> explain_hang;
};

// The run was given up.
struct Aborted {};

// Throws Failure if the program could not be started, or Aborted.
Ending execute(const Execution& execution);

// The living descendants of this process.
std::vector<pid_t> descendants();

// So much of each stream is kept.
constexpr std::size_t kKeptOutput = 1024 * 1024;

}  // namespace ipcell::cli
