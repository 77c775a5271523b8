#include "cli/sweep/trial_run.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "cli/deny.h"
#include "cli/environment.h"
#include "cli/failure.h"
#include "cli/fresh_cell.h"
#include "cli/sweep/descriptor.h"
#include "cli/sweep/plan.h"
#include "cli/sweep/waits.h"
#include "cli/tool_task.h"
#include "cli/whole.h"
#include "core/cell/namespace_cell.h"
#include "core/ipc/fault.h"

namespace ipcell::cli {

namespace {

void must(long result, const char* what) {
  if (result >= 0) return;
  throw Failure(fmt::format("{}: {}", what, std::strerror(static_cast<int>(-result))));
}

ObjectCounts count_objects(const CellPlace& place) {
  const CellInfo info = look_at_cell(place);
  return {info.queues, info.semaphore_sets, info.segments, info.posix_queues, info.posix_names};
}

class TrialRun {
 public:
  TrialRun(const RunSetting& setting, const RunRequest& request, int abort)
      : setting_(setting), request_(request), abort_(abort),
        cell_(setting.places, 0600, false, setting.limits) {}
  // Whatever happened, the cell goes.
  ~TrialRun() {
    sweep_namespaces(cell_.place().base.text);
    cell_.leave();
  }
  TrialRun(const TrialRun&) = delete;
  TrialRun& operator=(const TrialRun&) = delete;

  Observation make() {
    prepare();
    seen_.ending = run_program();
    look();
    if (seen_.damage.empty() && !seen_.ending.has_timed_out) judge();
    return std::move(seen_);
  }

 private:
  void prepare();
  void look();
  void judge();
  void check(const Ending& ending);
  void read_counts(const Cell& cell);
  Execution plan_for(const std::vector<std::string>& command) const;
  Ending run_program() const;
  Ending run_check(const Ending& ending) const;
  bool was_killed() const {
    return request_.restarts && seen_.fired != 0 && WIFSIGNALED(seen_.ending.status) &&
           WTERMSIG(seen_.ending.status) == SIGKILL;
  }

  const RunSetting& setting_;
  const RunRequest& request_;
  int abort_;
  FreshCell cell_;
  Observation seen_;
};

void TrialRun::prepare() {
  ToolTask tool(cell_.place());
  Task* const task = tool.get();
  if (task == nullptr) throw Failure("the fresh cell cannot be used");
  must(set_fault_seed(*task, setting_.options.seed), "the seed cannot be set");
  if (request_.rule.empty()) {
    const u32 what = setting_.options.by_call ? kRecordCalls : kRecordSites;
    must(record_fault_sites(*task, what), "calls cannot be recorded");
    return;
  }
  FaultRule rule = parse_planned(request_.rule, setting_.options.allows_illegal);
  must(add_fault_rule(*task, rule), "the rule cannot be added");
}

Execution TrialRun::plan_for(const std::vector<std::string>& command) const {
  Execution plan;
  plan.command = command;
  plan.environment =
      environment_for({cell_.place(), setting_.library, setting_.options.posix, std::nullopt});
  if (setting_.denial != nullptr) plan.confine = [this] { return setting_.denial->load(); };
  plan.timeout = request_.timeout;
  plan.waits_for_all = request_.waits_for_all;
  plan.abort = abort_;
  plan.explain_hang = [this](const std::vector<pid_t>& processes) {
    return describe_waits(cell_.place(), processes);
  };
  return plan;
}

Ending TrialRun::run_program() const {
  Execution plan = plan_for(setting_.options.command);
  // Opened anew, it is read from its start.
  const Descriptor input(setting_.has_input ? open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC) : -1);
  plan.input = input.get();
  return execute(plan);
}

// After the end: what the rule did, what is left, and whether the cell is whole.
void TrialRun::look() {
  ToolTask tool(cell_.place());
  Task* const task = tool.get();
  if (task == nullptr) {
    seen_.damage = look_at_cell(cell_.place()).reason;
    if (seen_.damage.empty()) seen_.damage = "it cannot be used any more";
    return;
  }
  read_counts(*task->cell);
  seen_.damage = find_damage(*task);
  if (!seen_.damage.empty()) return;
  seen_.left = count_objects(cell_.place());
  must(remove_fault_rules(*task, nullptr, nullptr), "the rules cannot be removed");
  must(record_fault_sites(*task, kRecordNothing), "the record of calls cannot be ended");
}

void TrialRun::read_counts(const Cell& cell) {
  if (!has_faults(cell)) return;
  for (const FaultRec& rule : cell.layout().faults.rules) {
    if (load_acquire(rule.state) != kFaultSet) continue;
    seen_.fired += load_relaxed(rule.fired);
    seen_.refused += load_relaxed(rule.refused);
  }
  if (request_.rule.empty()) seen_.sites = read_sites(cell, &seen_.lost_sites);
}

// The next start meets what is left. If the program itself was killed it is that one which the
// check is about.
void TrialRun::judge() {
  if (!was_killed()) check(seen_.ending);
  const bool has_happened = request_.rule.empty() || seen_.fired != 0;
  if (request_.restarts && has_happened) seen_.restart = run_program();
  if (was_killed() && seen_.restart) check(*seen_.restart);
}

void TrialRun::check(const Ending& ending) {
  const bool is_normal = !ending.has_timed_out && ending.status == request_.normal_status;
  const bool is_undisturbed = request_.rule.empty();
  if (!setting_.options.check.empty() && (is_normal || is_undisturbed)) {
    seen_.check = run_check(ending);
  }
}

// The command reads what the program wrote.
Ending TrialRun::run_check(const Ending& ending) const {
  Execution plan = plan_for({"sh", "-c", setting_.options.check});
  const Descriptor output(memfd_create("ipcell-sweep-output", MFD_CLOEXEC));
  if (!output) throw Failure(fmt::format("memfd_create: {}", std::strerror(errno)));
  for (std::size_t done = 0; done < ending.out.size();) {
    const ssize_t size = write(output.get(), ending.out.data() + done, ending.out.size() - done);
    if (size <= 0) throw Failure(fmt::format("memfd: {}", std::strerror(errno)));
    done += static_cast<std::size_t>(size);
  }
  lseek(output.get(), 0, SEEK_SET);
  plan.input = output.get();
  plan.waits_for_all = false;
  return execute(plan);
}

}  // namespace

Observation run_trial(const RunSetting& setting, const RunRequest& request, int abort) {
  return TrialRun(setting, request, abort).make();
}

}  // namespace ipcell::cli
