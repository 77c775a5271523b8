// Runs a program as if this process were not there: its signals, its job control, its status.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace ipcell::cli {

struct ChildPlan {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=VALUE
  std::function<int()> confine;          // called before the program starts: 0 or -errno
  int kept_descriptor = -1;              // stays open in this process
};

struct ChildEnd {
  enum class Stage { Ran, Fork, Confine, Exec };
  Stage stage = Stage::Ran;  // how far it came
  int error = 0;             // errno of a stage that failed
  int status = 0;            // of waitpid(2), if it ran
};

// Returns when the program has ended. From then on signals to this process are held back.
ChildEnd run_child(const ChildPlan& plan);

}  // namespace ipcell::cli
