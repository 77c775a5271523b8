#include "cli/sweep/learn.h"

#include <algorithm>
#include <set>
#include <sys/wait.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "cli/sweep/symbols.h"

namespace ipcell::cli {

namespace {

// Undisturbed runs get so many seconds, unless --timeout tells another number.
constexpr double kFirstTimeout = 60;
// Disturbed ones get so many times the longest of these, and not less than so many seconds.
constexpr double kTimeoutFactor = 10;
constexpr double kLeastTimeout = 5;

Observation run_undisturbed(KeeperPool& pool, double timeout, bool restarts = false) {
  RunRequest request;
  request.timeout = timeout;
  request.restarts = restarts;
  pool.start(0, request);
  for (;;) {
    std::vector<KeeperPool::Finished> finished = pool.wait(1000);
    if (pool.is_interrupted()) throw Aborted();
    if (!finished.empty()) return std::move(finished[0].seen);
  }
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const std::size_t start = text.rfind('\n', end);
  return ": " + text.substr(start == std::string::npos ? 0 : start + 1,
                            start == std::string::npos ? end + 1 : end - start);
}

// A run that is no example of how it should be. Throws Failure.
void refuse_bad(const Observation& seen, const SweepOptions& options) {
  const Ending& ending = seen.ending;
  if (!seen.failure.empty()) throw Failure(seen.failure);
  if (!seen.damage.empty()) {
    throw Failure(fmt::format("the cell is damaged by an undisturbed run, which is a fault of "
                              "ipcell: {}",
                              seen.damage));
  }
  if (ending.has_timed_out) {
    throw Failure(fmt::format("undisturbed, the program does not end within {:.0f} s; give it more "
                              "with --timeout, or something that lets it end. {}",
                              ending.seconds, fmt::join(ending.waits, "; ")));
  }
  if (options.check.empty() && ending.status != 0) {
    throw Failure(fmt::format("undisturbed, the program fails with {}{}; there is nothing to "
                              "compare with (with --check CMD it may fail)",
                              describe_status(ending.status), last_line(ending.err)));
  }
  if (!options.check.empty() &&
      (!seen.check || seen.check->has_timed_out || seen.check->status != 0)) {
    throw Failure(fmt::format("--check: it fails after an undisturbed run, {}{}",
                              seen.check && !seen.check->has_timed_out
                                  ? describe_status(seen.check->status)
                                  : "it does not end",
                              seen.check ? last_line(seen.check->err + seen.check->out) : ""));
  }
}

bool tries_kills(const SweepOptions& options) {
  const auto& effects = options.effects;
  return effects.empty() ||
         std::find(effects.begin(), effects.end(), name_of(EffectGroup::Kill)) != effects.end();
}

// How many processes make calls. Of each site the first that came by is known.
std::size_t count_processes(const std::vector<SweepSite>& sites) {
  std::set<std::string> processes;
  for (const SweepSite& site : sites) processes.insert(site.process);
  return processes.size();
}

void take_most(ObjectCounts& most, const ObjectCounts& counts) {
  most.queues = std::max(most.queues, counts.queues);
  most.sets = std::max(most.sets, counts.sets);
  most.segments = std::max(most.segments, counts.segments);
  most.posix_queues = std::max(most.posix_queues, counts.posix_queues);
  most.posix_names = std::max(most.posix_names, counts.posix_names);
}

}  // namespace

Baseline learn(KeeperPool& pool, const SweepOptions& options) {
  Baseline baseline;
  std::vector<std::string> outs, errs;
  for (u32 n = 0; n < options.runs; ++n) {
    Observation seen = run_undisturbed(pool, options.timeout > 0 ? options.timeout : kFirstTimeout);
    refuse_bad(seen, options);
    if (n > 0 && seen.ending.status != baseline.status) {
      throw Failure(fmt::format("undisturbed, the program ends with {} and with {}: there is "
                                "nothing to compare with",
                                describe_status(baseline.status),
                                describe_status(seen.ending.status)));
    }
    baseline.status = seen.ending.status;
    baseline.seconds = std::max(baseline.seconds, seen.ending.seconds);
    baseline.has_survivors = baseline.has_survivors || seen.ending.survivors != 0;
    baseline.lost_sites = std::max(baseline.lost_sites, seen.lost_sites);
    take_most(baseline.left, seen.left);
    merge_sites(baseline.sites, seen.sites);
    outs.push_back(std::move(seen.ending.out));
    errs.push_back(std::move(seen.ending.err));
  }
  baseline.runs = options.runs;
  sort_sites(baseline.sites);
  find_places(baseline.sites, options.command[0]);
  baseline.out_likeness = options.ignores_output ? Likeness::None : likeness_of(outs);
  baseline.err_likeness = likeness_of(errs);
  baseline.out = normal_form(outs[0], baseline.out_likeness);
  baseline.err = normal_form(errs[0], baseline.err_likeness);
  baseline.timeout = options.timeout > 0
                         ? options.timeout
                         : std::max(kLeastTimeout, kTimeoutFactor * baseline.seconds);
  baseline.processes = count_processes(baseline.sites);
  if (tries_kills(options)) {
    const Observation seen = run_undisturbed(pool, baseline.timeout, true);
    baseline.is_restart_known = true;
    baseline.can_restart = seen.restart && is_like_first(baseline, *seen.restart);
  }
  return baseline;
}

}  // namespace ipcell::cli
