// Runs a program as if this process were not there: its signals, its job control, its status.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcell::cli {

// A process that is to become the program, and the one that reports its ends and stops: its parent,
// if that is another than this one.
struct StartedChild {
  pid_t pid = -1;  // 0 in the process itself
  pid_t reporter = 0;
};

// A reporter sends this signal with a status of waitpid(2).
int report_signal();

struct ChildPlan {
  std::vector<std::string> command;
  std::vector<std::string> environment;  // NAME=VALUE
  std::function<StartedChild()> start;   // fork(2), if it is empty
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
