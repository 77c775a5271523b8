// What a sweep has found: the words in which all of its reports tell it.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "cli/sweep/options.h"
#include "cli/sweep/verdict.h"

namespace ipcell::cli {

struct TrialResult {
  Verdict verdict;
  double seconds = 0;  // of the last run
  u32 runs = 0;
};

struct SweepResult {
  const SweepOptions& options;
  const Baseline& baseline;
  const std::vector<Trial>& plan;
  bool denies = false;
  std::vector<std::optional<TrialResult>> results;  // one for each trial; none: it was not tried
  std::size_t resumed = 0;                          // results that a state file had
  std::time_t started = 0;
  double seconds = 0;
  bool is_out_of_time = false;
  bool was_interrupted = false;

  std::size_t count(Class what) const;
  std::size_t tried() const;
  // Trials that the user has to look at, the worst first.
  std::vector<std::size_t> findings() const;
  // Bad, but expected.
  std::vector<std::size_t> expected() const;
  const SweepSite& site_of(std::size_t trial) const { return baseline.sites[plan[trial].site]; }
};

// "err(ENOMEM), once"
std::string describe(const Trial& trial);
// The command that shows it again.
std::string repeat_command(const SweepResult& result, std::size_t trial);
// What can stand in any report: UTF-8 without control characters but line ends and tabs; XML 1.0
// has no place for them, not even escaped. Others are question marks.
std::string clean_text(const std::string& text);
// The swept command, as one types it.
std::string command_line(const std::vector<std::string>& command);
// As a shell's word.
std::string quote(const std::string& word);
// How undisturbed runs ended and what was compared, a sentence.
std::string describe(const Baseline& baseline, bool ignores_output);
// What keeps the sweep from being whole; empty if nothing does.
std::vector<std::string> shortcomings(const SweepResult& result);
// The exit status of the command.
int exit_status(const SweepResult& result);

}  // namespace ipcell::cli
