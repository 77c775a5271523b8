#include "cli/sweep/campaign.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include <fmt/format.h>

namespace ipcell::cli {

namespace {

// What is bad is looked at so often in all. What hangs takes long: of each site the first is looked
// at again.
constexpr std::size_t kTries = 3, kHangTries = 2;
constexpr int kTickMs = 200;

class Campaign {
 public:
  Campaign(SweepResult& result, CampaignTools tools, std::chrono::steady_clock::time_point deadline)
      : result_(result), tools_(tools), deadline_(deadline) {}

  void run() {
    take_over();
    while (!is_over()) {
      start_some();
      for (KeeperPool::Finished& finished : tools_.pool.wait(kTickMs)) take(finished);
      result_.was_interrupted = tools_.pool.is_interrupted();
      tools_.progress.update(done_, result_.plan.size(), findings_);
    }
    result_.is_out_of_time = has_time_passed() && done_ < result_.plan.size();
  }

 private:
  void take_over();
  void start_some();
  void start(std::size_t trial);
  void take(const KeeperPool::Finished& finished);
  bool needs_another_look(std::size_t trial, const std::vector<Verdict>& verdicts) const;
  void settle(std::size_t trial, const TrialResult& result);
  bool has_time_passed() const { return std::chrono::steady_clock::now() >= deadline_; }
  bool is_over() const {
    if (result_.was_interrupted) return true;
    const bool is_idle = again_.empty() && (next_ >= result_.plan.size() || has_time_passed());
    return is_idle && tools_.pool.running() == 0;
  }

  SweepResult& result_;
  CampaignTools tools_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t next_ = 0, done_ = 0, findings_ = 0;
  std::deque<std::size_t> again_;                         // trials to be made once more
  std::map<std::size_t, std::vector<Verdict>> verdicts_;  // of trials that are not settled
  std::set<std::pair<Class, std::size_t>> told_;          // kind and site
};

// What an earlier sweep has found.
void Campaign::take_over() {
  for (std::size_t n = 0; n < result_.plan.size(); ++n) {
    const TrialResult* const known = tools_.state.find(result_.plan[n].rule);
    if (known == nullptr) continue;
    result_.results[n] = *known;
    ++done_;
    if (known->verdict.is_finding()) ++findings_;
  }
  result_.resumed = done_;
  tools_.progress.skip(done_);
}

void Campaign::start_some() {
  while (tools_.pool.running() < result_.options.jobs) {
    if (!again_.empty()) {
      start(again_.front());
      again_.pop_front();
      continue;
    }
    while (next_ < result_.plan.size() && result_.results[next_]) ++next_;
    if (next_ >= result_.plan.size() || has_time_passed()) return;
    start(next_++);
  }
}

void Campaign::start(std::size_t trial) {
  RunRequest request;
  request.rule = result_.plan[trial].rule;
  request.restarts = result_.plan[trial].group == EffectGroup::Kill;
  request.timeout = result_.baseline.timeout;
  request.waits_for_all = !result_.baseline.has_survivors;
  request.normal_status = result_.baseline.status;
  tools_.pool.start(trial, request);
}

bool Campaign::needs_another_look(std::size_t trial, const std::vector<Verdict>& verdicts) const {
  const Verdict& first = verdicts.front();
  if (!first.is_finding() || verdicts.back().what == Class::Broken) return false;
  if (first.what != Class::Hang) return verdicts.size() < kTries;
  return verdicts.size() < kHangTries && told_.count({Class::Hang, result_.plan[trial].site}) == 0;
}

void Campaign::take(const KeeperPool::Finished& finished) {
  const std::size_t trial = finished.tag;
  std::vector<Verdict>& verdicts = verdicts_[trial];
  verdicts.push_back(
      judge(result_.baseline, result_.plan[trial], result_.site_of(trial), finished.seen));
  if (needs_another_look(trial, verdicts)) {
    again_.push_back(trial);
    return;
  }
  TrialResult result;
  result.verdict = combine(verdicts);
  result.seconds = finished.seen.ending.seconds;
  result.runs = static_cast<u32>(verdicts.size());
  settle(trial, result);
  verdicts_.erase(trial);
}

void Campaign::settle(std::size_t trial, const TrialResult& result) {
  result_.results[trial] = result;
  ++done_;
  // A run that could not be made is to be tried again.
  if (result.verdict.what != Class::Broken) tools_.state.add(result_.plan[trial].rule, result);
  if (!result.verdict.is_finding()) return;
  ++findings_;
  // More of the same kind are told of in the end.
  if (!told_.emplace(result.verdict.what, result_.plan[trial].site).second) return;
  tools_.progress.say(fmt::format("{}: {}: {}: {}", name_of(result.verdict.what),
                                  result_.site_of(trial).describe(), describe(result_.plan[trial]),
                                  result.verdict.detail));
}

}  // namespace

void make_runs(SweepResult& result, CampaignTools tools,
               std::chrono::steady_clock::time_point deadline) {
  Campaign(result, tools, deadline).run();
}

}  // namespace ipcell::cli
