// One run of a scenario: a fresh cell, the survivor, the sleepers, the victim and its death at a
// chosen instruction, and what the survivor finds then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/crash/scenario.h"
#include "tests/crash/tracee.h"

namespace crash {

// How a victim ends at its instruction.
enum class Death { Process, Thread };

constexpr long kToTheEnd = -1;

// What a first run without a death has found out about an operation.
struct Profile {
  std::vector<std::uint64_t> pcs;  // of each instruction
  std::vector<Kind> kinds;
  std::vector<bool> changes_cell;  // the cell differs after it, or the kernel was called
  long size() const { return static_cast<long>(pcs.size()); }
};

struct Plan {
  long kill_at = kToTheEnd;   // the victim dies when it has done so many instructions
  long kill2_at = kToTheEnd;  // the second victim, likewise
  Death death = Death::Process;
  bool is_late = false;  // the survivor meets the dead by its operations, before it reaps
  // Of the first and the second victim. To be filled by a run that ends at kToTheEnd, else used.
  Profile* profile = nullptr;
  Profile* profile2 = nullptr;
};

struct RunResult {
  std::string violation;  // empty if there is none
  Outcome outcome = Outcome::Absent;
  bool was_awakened = false;
  bool has_drifted = false;  // the instruction was not the one of the profile
};

class Stage;  // of one run; run.cc

// `folder` is the caller's own, for the cell's file. False: this machine does not let us trace.
bool can_trace();
RunResult run_once(const Scenario& scenario, const Plan& plan, const std::string& folder);

}  // namespace crash
