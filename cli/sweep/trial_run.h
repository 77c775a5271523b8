// One run of the program in a fresh cell, with a fault or without.
#pragma once

#include <string>
#include <vector>

#include "cli/places.h"
#include "cli/set_limits.h"
#include "cli/sweep/execute.h"
#include "cli/sweep/observation.h"
#include "cli/sweep/options.h"

namespace ipcell::cli {

class Denial;

// What is the same for all runs of a sweep.
struct RunSetting {
  const SweepOptions& options;
  const Places& places;
  std::string library;
  std::vector<Limit> limits;
  const Denial* denial = nullptr;  // nullptr: none
  bool has_input = false;          // standard input is a file that each run reads from its start
};

struct RunRequest {
  std::string rule;            // empty: an undisturbed run, and what calls it makes is recorded
  bool restarts = false;       // the program is started once more afterwards, undisturbed
  double timeout = 0;          // seconds
  bool waits_for_all = false;  // see Execution
  int normal_status = 0;       // of waitpid(2): runs that end so are judged by the check
};

// To be called in a process that was made for it. `abort`: a descriptor; when it can be read the
// run is given up, and nothing of it is left. Throws Aborted.
Observation run_trial(const RunSetting& setting, const RunRequest& request, int abort);

}  // namespace ipcell::cli
