// `ipcell sweep`: runs a program once for each IPC call that it makes and each fault that Linux
// could give that call, and tells what came of it. docs/faults.md.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/sweep/options.h"

namespace ipcell::cli {

class Places;

// What the command answers if it could not do its work.
constexpr int kSweepFailed = 2;

// What the options say, as they stand on the command line.
struct SweepArguments {
  SweepOptions options;
  std::string budget, timeout, by = "site", effects, seed;
  bool no_deny = false;
};
CLI::App* add_sweep_command(CLI::App& app, SweepArguments& arguments);
// Throws Failure.
SweepOptions sweep_options(const SweepArguments& arguments, std::vector<std::string> command);

// 0: nothing bad; 1: there are findings; throws Failure, or gives 2, if it could not be done.
int sweep(SweepOptions options, const Places& places);

}  // namespace ipcell::cli
