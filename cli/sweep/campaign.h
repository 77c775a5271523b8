// Makes the runs of a sweep's plan.
#pragma once

#include <chrono>

#include "cli/sweep/keeper.h"
#include "cli/sweep/progress.h"
#include "cli/sweep/result.h"
#include "cli/sweep/state.h"

namespace ipcell::cli {

struct CampaignTools {
  KeeperPool& pool;
  StateFile& state;
  Progress& progress;
};

// Fills in `result.results`, and why there may be some missing. `deadline`: no run starts later.
void make_runs(SweepResult& result, CampaignTools tools,
               std::chrono::steady_clock::time_point deadline);

}  // namespace ipcell::cli
