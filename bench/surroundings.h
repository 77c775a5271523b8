// Where the program runs: what the two sides of the comparison are.
#pragma once

#include <string>

namespace ipcell::bench {

struct Surroundings {
  bool is_namespace_fresh;  // The kernel's objects are in a namespace of our own, and vanish with
                            // it.
  bool has_kernel;          // The kernel's own System V IPC answers.
  bool has_cell;            // libc's functions do not end in that same IPC.
  std::string problem;      // Why one of the two is missing; empty if both are there.
};

// Call it once, early: it moves the process into a fresh kernel IPC namespace where that is
// permitted.
Surroundings settle();

}  // namespace ipcell::bench
