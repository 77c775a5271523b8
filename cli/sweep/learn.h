// What the program does when nothing is injected.
#pragma once

#include "cli/sweep/keeper.h"
#include "cli/sweep/verdict.h"

namespace ipcell::cli {

// Runs the program some times, undisturbed. Throws Failure if that gives nothing to compare with,
// or Aborted if this process is asked to end.
Baseline learn(KeeperPool& pool, const SweepOptions& options);

}  // namespace ipcell::cli
