// What `ipcell sweep` is asked for.
#pragma once

#include <string>
#include <vector>

#include "core/base/types.h"

namespace ipcell::cli {

struct SweepOptions {
  std::vector<std::string> command;
  std::string check;                 // a shell command that judges; empty: none
  bool ignores_output = false;       // the program's output is not compared
  unsigned jobs = 0;                 // runs at a time; 0: as many as there are CPUs
  double budget = 0;                 // seconds; 0: no end
  double timeout = 0;                // of each run, in seconds; 0: by the undisturbed ones
  unsigned runs = 3;                 // undisturbed ones
  bool by_call = false;              // else by site
  std::vector<std::string> effects;  // groups and names of errors; empty: all
  std::vector<std::string> reports;  // files
  bool json = false;                 // on standard output, in place of the table
  std::string state;                 // a file; empty: none
  u64 seed = 1;
  bool allows_illegal = false;
  bool denies = true;  // where it can be had
  bool posix = false;
  std::vector<std::string> limits;  // "NAME=VALUE"
};

}  // namespace ipcell::cli
