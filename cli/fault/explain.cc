// `ipcell fault explain`: what can be injected into which call, how it is made true, and what can't
// be had.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/failure.h"
#include "core/ipc/fault_outcomes.h"
#include "core/ipc/fault_parse.h"

namespace ipcell::cli {

namespace {

constexpr const char* kLimitNames[kFaultLimits] = {
    "msgmax", "msgmnb", "msgmni", "semmsl",     "semmns",  "semopm",     "semmni",
    "shmmax", "shmall", "shmmni", "queues_max", "msg_max", "msgsize_max"};

std::string limit_name(FaultLimit limit) {
  const auto number = static_cast<u32>(limit);
  return number < kFaultLimits ? kLimitNames[number] : "?";
}

std::string error_name(int error) {
  const char* name = name_of_errno(error);
  return name != nullptr ? name : std::to_string(error);
}

const char* way_name(FaultWay way) {
  switch (way) {
    case FaultWay::Plain: return "plain";
    case FaultWay::Removed: return "removed";
    case FaultWay::Vanished: return "vanished";
    case FaultWay::Limited: return "limited";
    case FaultWay::Asleep: return "asleep";
    case FaultWay::Expired: return "expired";
    case FaultWay::Never: return "never";
  }
  return "?";
}

std::string what_is_done(const FaultOutcome& outcome) {
  switch (outcome.way) {
    case FaultWay::Plain: return "nothing is done, and the error returned";
    case FaultWay::Removed: return "the object is removed, then the call made";
    case FaultWay::Vanished: return "the object is removed while the call is on its way";
    case FaultWay::Limited:
      return fmt::format("{} is lowered while the call is made", limit_name(outcome.limit));
    case FaultWay::Asleep: return "the call goes to sleep, and is taken back";
    case FaultWay::Expired: return "the call goes to sleep, and its deadline passes";
    case FaultWay::Never: break;
  }
  return "";
}

struct Need {
  u32 bit;
  const char* text;
};
constexpr Need kNeeds[] = {
    {kNeedsObject, "what it names is there and may be used"},
    {kNeedsNowait, "IPC_NOWAIT or O_NONBLOCK"},
    {kNeedsCreation, "it would make an object"},
    {kNeedsExclusive, "it asks for a new object, by a key or a name"},
    {kNeedsNoCreation, "no IPC_CREAT or O_CREAT"},
    {kNeedsNoOwnerCap, "no CAP_IPC_OWNER"},
    {kNeedsNoAdminCap, "no CAP_SYS_ADMIN"},
    {kNeedsNoResourceCap, "no CAP_SYS_RESOURCE"},
    {kNeedsSetting, "IPC_SET or IPC_RMID"},
    {kNeedsNoSetting, "neither IPC_SET nor IPC_RMID"},
    {kNeedsAccess, "it asks for permissions"},
    {kNeedsUnattached, "nobody has the segment attached"},
    {kNeedsAllocation, "GETALL, SETALL, SEM_UNDO or many operations"},
};

std::vector<std::string> needs_of(const FaultOutcome& outcome) {
  std::vector<std::string> needs;
  for (const Need& need : kNeeds) {
    if ((outcome.needs & need.bit) != 0) needs.emplace_back(need.text);
  }
  return needs;
}

std::vector<FaultOutcome> outcomes_of(FaultOp op) {
  const FaultOutcomes all = fault_outcomes();
  std::vector<FaultOutcome> found;
  for (u32 n = 0; n < all.count; ++n) {
    if (all.first[n].op == op) found.push_back(all.first[n]);
  }
  return found;
}

// Those of the actions that the parser lets pass for that call.
std::vector<std::string> allowed(FaultOp op, std::initializer_list<const char*> actions) {
  std::vector<std::string> found;
  for (const char* action : actions) {
    const std::string text = fmt::format("{}={}", name_of(op), action);
    FaultRule rule;
    FaultError error;
    if (parse_fault_rule(text.c_str(), text.size(), {}, &rule, &error)) found.emplace_back(action);
  }
  return found;
}

std::vector<std::string> sleeper_actions(FaultOp op) {
  if (!can_block(op)) return {};
  return allowed(op, {"full", "eintr", "timeout", "rmid(blocked)", "kill(blocked)",
                      "delay(blocked,1ms)", "delay(woken,1ms)"});
}

std::vector<std::string> other_actions(FaultOp op) {
  return allowed(op, {"rmid(before)", "kill(before)", "kill(after)", "delay(enter,1ms)",
                      "delay(exit,1ms)", "stop(1ms)", "sig(SIGTERM)", "exit(1)", "yield", "log"});
}

void print_error(const FaultOutcome& outcome) {
  const std::string error = fmt::format("err({})", error_name(outcome.error));
  fmt::print("  {:<18}  {}\n", error, outcome.reason != nullptr ? outcome.reason : "");
}

void print_call(FaultOp op) {
  fmt::print("{}\n", name_of(op));
  const std::vector<FaultOutcome> outcomes = outcomes_of(op);
  for (const FaultOutcome& outcome : outcomes) {
    if (outcome.way == FaultWay::Never) continue;
    print_error(outcome);
    fmt::print("{:<22}how: {}\n", "", what_is_done(outcome));
    const std::vector<std::string> needs = needs_of(outcome);
    if (!needs.empty()) fmt::print("{:<22}only if: {}\n", "", fmt::join(needs, "; "));
  }
  const std::vector<std::string> asleep = sleeper_actions(op);
  if (!asleep.empty()) fmt::print("  where it sleeps:    {}\n", fmt::join(asleep, " "));
  fmt::print("  at any time:        {}\n", fmt::join(other_actions(op), " "));
  const auto is_never = [](const FaultOutcome& outcome) { return outcome.way == FaultWay::Never; };
  if (std::none_of(outcomes.begin(), outcomes.end(), is_never)) return;
  fmt::print("  only with --allow-illegal, for Linux could not give it:\n");
  for (const FaultOutcome& outcome : outcomes) {
    if (is_never(outcome)) print_error(outcome);
  }
}

void print_overview() {
  fmt::print("{:<15}  {:<6}  {}\n", "CALL", "SLEEPS", "CAN FAIL WITH");
  for (u32 number = 0; number < kFaultOps; ++number) {
    const auto op = static_cast<FaultOp>(number);
    std::vector<std::string> errors;
    for (const FaultOutcome& outcome : outcomes_of(op)) {
      const std::string error = error_name(outcome.error);
      if (outcome.way != FaultWay::Never &&
          std::find(errors.begin(), errors.end(), error) == errors.end())
        errors.push_back(error);
    }
    fmt::print("{:<15}  {:<6}  {}\n", name_of(op), can_block(op) ? "yes" : "no",
               fmt::join(errors, " "));
  }
}

nlohmann::ordered_json to_json(const FaultOutcome& outcome) {
  nlohmann::ordered_json json = {{"error", error_name(outcome.error)},
                                 {"legal", outcome.way != FaultWay::Never},
                                 {"way", way_name(outcome.way)},
                                 {"needs", needs_of(outcome)},
                                 {"reason", outcome.reason != nullptr ? outcome.reason : ""}};
  if (outcome.way == FaultWay::Limited) json["limit"] = limit_name(outcome.limit);
  return json;
}

void print_json(const std::vector<FaultOp>& ops) {
  nlohmann::ordered_json calls = nlohmann::ordered_json::array();
  for (const FaultOp op : ops) {
    nlohmann::ordered_json errors = nlohmann::ordered_json::array();
    for (const FaultOutcome& outcome : outcomes_of(op)) errors.push_back(to_json(outcome));
    calls.push_back({{"call", name_of(op)}, {"sleeps", can_block(op)}, {"errors", errors}});
  }
  fmt::print("{}\n", calls.dump(2));
}

FaultOp call_named(const std::string& name) {
  std::string known;
  for (u32 number = 0; number < kFaultOps; ++number) {
    const auto op = static_cast<FaultOp>(number);
    if (name == name_of(op)) return op;
    known += (number == 0 ? "" : ", ") + std::string(name_of(op));
  }
  throw Failure(fmt::format("fault explain: there is no call {}; there are {}", name, known));
}

std::vector<FaultOp> all_calls() {
  std::vector<FaultOp> ops;
  for (u32 number = 0; number < kFaultOps; ++number) ops.push_back(static_cast<FaultOp>(number));
  return ops;
}

}  // namespace

int fault_explain(const FaultCommandOptions& options) {
  std::vector<FaultOp> ops;
  for (const std::string& name : options.words) ops.push_back(call_named(name));
  if (options.json) {
    print_json(ops.empty() ? all_calls() : ops);
  } else if (ops.empty()) {
    print_overview();
  } else {
    for (const FaultOp op : ops) print_call(op);
  }
  return 0;
}

}  // namespace ipcell::cli
