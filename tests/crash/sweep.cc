#include "tests/crash/sweep.h"

#include <algorithm>
#include <cstdio>
#include <random>

namespace crash {

namespace {

constexpr long kShownViolations = 5;  // per scenario; the rest is counted

class Sweep {
 public:
  Sweep(const Scenario& scenario, const SweepOptions& options)
      : scenario_(scenario), options_(options), start_(now_us()) {}

  void run();
  long points() const { return points_; }
  long covered() const { return covered_; }
  long violations() const { return violations_; }
  long instructions() const { return profile_.size(); }
  long drifted() const { return drifted_; }
  long changing() const;

 private:
  std::vector<long> choose(const Profile& profile, long wanted) const;
  void run_point(Plan plan);
  void run_second(Plan plan);
  void check_order(const Plan& plan, const RunResult& result);
  void report(const Plan& plan, const std::string& violation);
  bool is_over() const {
    return options_.seconds > 0 && static_cast<double>(now_us() - start_) > options_.seconds * 1e6;
  }

  const Scenario& scenario_;
  const SweepOptions& options_;
  std::uint64_t start_;
  Profile profile_;
  long points_ = 0, covered_ = 0, violations_ = 0, drifted_ = 0;
  // The last death that left nothing and the first that left the whole, before and after the victim
  // was woken: an operation happens once.
  long last_absent_[2] = {-1, -1};
  long first_whole_[2] = {-1, -1};
};

std::string command_of(const Scenario& scenario, const SweepOptions& options, const Plan& plan) {
  std::string command = options.program + " --scenario " + scenario.name;
  command += " --kill-at " + (plan.kill_at == kToTheEnd ? "end" : std::to_string(plan.kill_at));
  if (plan.profile2 != nullptr) {
    command +=
        " --kill2-at " + (plan.kill2_at == kToTheEnd ? "end" : std::to_string(plan.kill2_at));
  }
  if (plan.is_late) command += " --late";
  if (plan.death == Death::Thread) command += " --thread";
  return command;
}

void Sweep::report(const Plan& plan, const std::string& violation) {
  if (++violations_ > kShownViolations && !options_.is_verbose) return;
  std::printf("VIOLATION in %s: %s\n  repeat: %s\n", scenario_.name.c_str(), violation.c_str(),
              command_of(scenario_, options_, plan).c_str());
  std::fflush(stdout);
}

long Sweep::changing() const {
  long count = 0;
  for (bool changes : profile_.changes_cell) count += changes ? 1 : 0;
  return count;
}

// Deaths right after instructions that changed the cell, every stride-th of them from a place that
// the seed decides, and the same number again from among all.
std::vector<long> Sweep::choose(const Profile& profile, long wanted) const {
  std::vector<long> chosen;
  if (options_.all) {
    for (long n = 0; n <= profile.size(); ++n) chosen.push_back(n);
    return chosen;
  }
  std::vector<long> changing;
  for (long n = 0; n < profile.size(); ++n) {
    if (profile.changes_cell[n]) changing.push_back(n + 1);
  }
  const auto thin_out = [&](long count, auto point_of) {
    const long stride = count / wanted + 1;
    for (long n = static_cast<long>(options_.seed % static_cast<std::uint64_t>(stride)); n < count;
         n += stride) {
      chosen.push_back(point_of(n));
    }
  };
  thin_out(static_cast<long>(changing.size()), [&](long n) { return changing[n]; });
  wanted = wanted / 4 + 1;
  thin_out(profile.size() + 1, [](long n) { return n; });
  // If the time is over before all are done, what was left out is spread as well.
  std::shuffle(chosen.begin(), chosen.end(),
               std::minstd_rand(static_cast<unsigned>(options_.seed)));
  return chosen;
}

// Once an operation is whole it stays so, whenever the victim dies after that.
// (Not known of a run that has drifted: its instructions have other numbers.)
void Sweep::check_order(const Plan& plan, const RunResult& result) {
  if (scenario_.is_unordered || scenario_.is_pause || plan.profile2 != nullptr) return;
  if (result.has_drifted) return;
  const int phase = result.was_awakened ? 1 : 0;
  const long at = plan.kill_at == kToTheEnd ? profile_.size() : plan.kill_at;
  long& absent = last_absent_[phase];
  long& whole = first_whole_[phase];
  if (result.outcome == Outcome::Absent) {
    absent = absent < at ? at : absent;
  } else {
    whole = whole < 0 || at < whole ? at : whole;
  }
  if (whole >= 0 && absent >= whole) report(plan, "the operation was whole, and later absent");
  if (at == profile_.size() && result.outcome != Outcome::Whole) {
    report(plan, "the operation returned, and is absent");
  }
}

void Sweep::run_point(Plan plan) {
  plan.is_late = ((plan.kill_at + plan.kill2_at) & 1) != 0;
  // Now and then only the thread dies, and its process lives on.
  if (!options_.all && !scenario_.is_pause && covered_ % 4 == 3) plan.death = Death::Thread;
  for (int turn = 0; turn < (options_.all && plan.profile2 == nullptr ? 2 : 1); ++turn) {
    const RunResult result = run_once(scenario_, plan, options_.folder);
    ++covered_;
    drifted_ += result.has_drifted ? 1 : 0;
    if (!result.violation.empty()) {
      report(plan, result.violation);
    } else {
      check_order(plan, result);
    }
    plan.is_late = !plan.is_late;
  }
}

void Sweep::run_second(Plan plan) {
  Profile profile2;
  plan.profile2 = &profile2;
  const RunResult result = run_once(scenario_, plan, options_.folder);
  if (!result.violation.empty()) {
    report(plan, result.violation);
    return;
  }
  points_ += profile2.size() + 1;
  for (long at : choose(profile2, options_.points)) {
    if (is_over()) break;
    plan.kill2_at = at;
    run_point(plan);
  }
}

void Sweep::run() {
  Plan plan = {.death = options_.death, .profile = &profile_};
  const RunResult result = run_once(scenario_, plan, options_.folder);
  if (!result.violation.empty()) {
    report(plan, result.violation);
    return;
  }
  check_order(plan, result);
  if (!scenario_.recovery) {
    points_ = profile_.size() + 1;
    for (long at : choose(profile_, options_.points)) {
      if (is_over()) break;
      plan.kill_at = at;
      run_point(plan);
    }
    return;
  }
  // The first victim's deaths are spread over the instructions that change the cell; the second
  // victim dies at all of its instructions, or at a choice of them.
  SweepOptions spread = options_;
  spread.all = false;
  const Sweep chooser(scenario_, spread);
  for (long at : chooser.choose(profile_, options_.first_points)) {
    if (is_over()) break;
    plan.kill_at = at;
    run_second(plan);
  }
}

}  // namespace

void sweep(const Scenario& scenario, const SweepOptions& options, SweepTotals* totals) {
  const std::uint64_t start = now_us();
  Sweep sweep(scenario, options);
  sweep.run();
  std::printf(
      "%-26s %6ld instructions, %4ld change the cell; %7ld points, %6ld covered, %ld violations",
      scenario.name.c_str(), sweep.instructions(), sweep.changing(), sweep.points(),
      sweep.covered(), sweep.violations());
  if (sweep.drifted() != 0) std::printf(", %ld drifted", sweep.drifted());
  std::printf("  (%.1f s)\n", static_cast<double>(now_us() - start) / 1e6);
  std::fflush(stdout);
  ++totals->scenarios;
  totals->points += sweep.points();
  totals->covered += sweep.covered();
  totals->violations += sweep.violations();
}

bool repeat(const Scenario& scenario, const SweepOptions& options, Plan plan) {
  Profile profile, profile2;
  Plan first = {.death = options.death, .profile = &profile};
  RunResult result = run_once(scenario, first, options.folder);
  if (result.violation.empty() && scenario.recovery && plan.kill_at != kToTheEnd) {
    first.kill_at = plan.kill_at;
    first.profile2 = &profile2;
    result = run_once(scenario, first, options.folder);
  }
  if (result.violation.empty() && plan.kill_at != kToTheEnd) {
    plan.profile = &profile;
    if (scenario.recovery) plan.profile2 = &profile2;
    result = run_once(scenario, plan, options.folder);
  }
  std::printf("%s: %s (%s)\n", command_of(scenario, options, plan).c_str(),
              result.violation.empty() ? "no violation" : result.violation.c_str(),
              result.outcome == Outcome::Whole ? "whole" : "absent");
  if (plan.kill_at >= 0 && plan.kill_at < profile.size()) {
    std::printf("  the victim's next instruction is at %#lx\n", profile.pcs[plan.kill_at]);
  }
  if (plan.kill2_at >= 0 && plan.kill2_at < profile2.size()) {
    std::printf("  the second victim's next instruction is at %#lx\n", profile2.pcs[plan.kill2_at]);
  }
  return result.violation.empty();
}

}  // namespace crash
