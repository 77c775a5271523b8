// The file in which a sweep keeps what it has found, so that a second one can go on from there.
//
// Lines of JSON: the first tells which sweep it is, each other is a trial's result, and is on disk
// before the next is written. One sweep at a time has it locked.
#pragma once

#include <map>
#include <string>

#include "cli/sweep/descriptor.h"
#include "cli/sweep/result.h"

namespace ipcell::cli {

class StateFile {
 public:
  StateFile() = default;  // keeps nothing
  // Opens it, or makes it. Throws Failure if it is in use, or another sweep's.
  StateFile(const std::string& path, const SweepOptions& options);

  // The result of a rule that an earlier sweep has tried; nullptr if there is none.
  const TrialResult* find(const std::string& rule) const;
  // Throws Failure if it can't be written.
  void add(const std::string& rule, const TrialResult& result);

 private:
  void read_results(const std::string& text, const std::string& header);
  void append(const std::string& line);

  std::string path_;
  Descriptor file_;
  std::map<std::string, TrialResult> results_;
};

}  // namespace ipcell::cli
