#include "cli/sweep/sweep.h"

#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/cells.h"
#include "cli/deny.h"
#include "cli/failure.h"
#include "cli/places.h"
#include "cli/preload_check.h"
#include "cli/sweep/campaign.h"
#include "cli/sweep/learn.h"
#include "cli/sweep/report.h"

namespace ipcell::cli {

namespace {

using Clock = std::chrono::steady_clock;

bool has_file_as_input() {
  struct stat info;
  return fstat(STDIN_FILENO, &info) == 0 && S_ISREG(info.st_mode);
}

void need_program(const std::string& program) {
  const std::string path = find_program(program);
  if (path.empty()) {
    throw Failure(fmt::format("{}: no such program; check its name, and PATH", program));
  }
  if (access(path.c_str(), X_OK) != 0) {
    throw Failure(fmt::format("{}: it cannot be executed", path));
  }
}

void need_sites(const Baseline& baseline, const std::vector<Trial>& plan) {
  if (baseline.sites.empty()) {
    throw Failure("the program makes no IPC call that ipcell sees, so there is nothing to disturb; "
                  "`ipcell doctor PROGRAM` says whether it can be run in a cell");
  }
  if (plan.empty()) {
    throw Failure("none of the faults that --effects names can come about in the program's calls");
  }
}

class Sweep {
 public:
  Sweep(SweepOptions options, const Places& places)
      : options_(std::move(options)), setting_{options_, places, places.library(),
                                               parse_limits(options_.limits)} {
    if (options_.denies && !is_denial_possible()) {
      spdlog::warn("the kernel's own IPC stays open: there are no seccomp filters");
      options_.denies = false;
    }
    if (options_.denies) denial_.emplace();
    setting_.denial = denial_ ? &*denial_ : nullptr;
    setting_.has_input = has_file_as_input();
  }

  int run() {
    const Clock::time_point began = Clock::now();
    const Clock::time_point deadline =
        options_.budget > 0 ? began + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(options_.budget))
                            : Clock::time_point::max();
    const std::time_t started = std::time(nullptr);
    std::optional<StateFile> state;
    state.emplace();
    if (!options_.state.empty()) state.emplace(options_.state, options_);
    KeeperPool pool(setting_);
    Progress progress;
    const Baseline baseline = learn(pool, options_);
    const std::vector<Trial> plan = make_plan(baseline.sites, options_, own_capabilities());
    need_sites(baseline, plan);
    progress.say(describe(baseline, options_.ignores_output));
    progress.say(fmt::format("{} sites, {} faults to try, {} at a time, seed {}",
                             baseline.sites.size(), plan.size(), options_.jobs,
                             static_cast<unsigned long long>(options_.seed)));
    SweepResult result{options_, baseline, plan};
    result.denies = options_.denies;
    result.started = started;
    result.results.resize(plan.size());
    make_runs(result, {pool, *state, progress}, deadline);
    result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    return report(result);
  }

 private:
  int report(const SweepResult& result) const {
    fmt::print("{}", options_.json ? json_of(result) : table_of(result));
    std::fflush(stdout);
    for (const std::string& path : options_.reports) write_report(path, result);
    return exit_status(result);
  }

  SweepOptions options_;
  RunSetting setting_;
  std::optional<Denial> denial_;
};

}  // namespace

int sweep(SweepOptions options, const Places& places) {
  // Who reads our output may go away before we have reported.
  signal(SIGPIPE, SIG_IGN);
  (void)make_plan({}, options, 0);
  need_program(options.command[0]);
  remove_leftovers(places.base_for(0600));
  warn_of_unloadable(options.command[0], places.library(), options.denies, false);
  try {
    return Sweep(std::move(options), places).run();
  } catch (const Aborted&) {
    throw Failure("interrupted before the undisturbed runs had ended: nothing was tried");
  }
}

}  // namespace ipcell::cli
