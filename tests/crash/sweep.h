// A scenario run once for each of its instructions, or for a choice of them.
#pragma once

#include <cstdint>
#include <string>

#include "tests/crash/run.h"

namespace crash {

struct SweepOptions {
  bool all = false;        // every instruction; else those that change the cell, thinned out
  long points = 40;        // per scenario, if not all
  long first_points = 3;   // with a second victim: deaths of the first
  double seconds = 0;      // if not 0: a scenario stops when it has taken so long
  std::uint64_t seed = 1;  // where the choice begins
  Death death = Death::Process;
  std::string folder;
  std::string program;  // for the command that repeats a violation
  bool is_verbose = false;
};

struct SweepTotals {
  long scenarios = 0;
  long points = 0;
  long covered = 0;
  long violations = 0;
};

// Prints a line for the scenario, and one for each violation.
void sweep(const Scenario& scenario, const SweepOptions& options, SweepTotals* totals);

// One death, told at length. True if nothing was found.
bool repeat(const Scenario& scenario, const SweepOptions& options, Plan plan);

}  // namespace crash
