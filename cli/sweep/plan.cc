#include "cli/sweep/plan.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>
#include <sys/ipc.h>
#include <sys/sem.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "core/ipc/fault_outcomes.h"

namespace ipcell::cli {

namespace {

// What programs answer by trying again lasts so many calls: for ever would hang the best of them.
constexpr u64 kPatience = 20;
// A call that asks for something that is not there now, and is delayed, is so for this long.
constexpr const char* kDelay = "delay(exit,20ms)";

constexpr int kCapIpcOwner = 15, kCapSysAdmin = 21, kCapSysResource = 24;

struct Effect {
  EffectGroup group;
  std::string action;
  std::vector<std::string> errors;  // what the call may say then
  bool is_retried = false;          // lasts kPatience calls
  bool is_once = false;             // does not last at all
};

constexpr EffectGroup kGroups[] = {EffectGroup::Errors, EffectGroup::Eintr,   EffectGroup::Full,
                                   EffectGroup::Rmid,   EffectGroup::Timeout, EffectGroup::Kill,
                                   EffectGroup::Delay,  EffectGroup::Unsafe};

bool is_system_v(FaultOp op) { return op < FaultOp::MqOpen; }
bool is_receive(FaultOp op) {
  return op == FaultOp::Msgrcv || op == FaultOp::MqReceive || op == FaultOp::MqTimedreceive;
}
bool is_semop(FaultOp op) { return op == FaultOp::Semop || op == FaultOp::Semtimedop; }
bool has_deadline(FaultOp op) {
  return op == FaultOp::Semtimedop || op == FaultOp::MqTimedsend || op == FaultOp::MqTimedreceive;
}

// The word for: it finds no room, no message, no semaphore.
const char* shortage_of(FaultOp op) {
  if (is_semop(op)) return "busy";
  return is_receive(op) ? "empty" : "full";
}

// True if the calls of the site were such that Linux could answer so.
bool is_possible(const FaultOutcome& outcome, const SweepSite& site, u64 capabilities) {
  const auto has_capability = [&](int number) { return (capabilities >> number & 1) != 0; };
  const auto asks = [&](u32 need) { return (outcome.needs & need) != 0; };
  if (asks(kNeedsNowait) && !site.has(kSiteNowait)) return false;
  if (asks(kNeedsCreation) && !site.has(kSiteCreates)) return false;
  if (asks(kNeedsExclusive) && !site.has(kSiteExclusive)) return false;
  if (asks(kNeedsNoCreation) && site.has(kSiteCreates)) return false;
  if (asks(kNeedsNoOwnerCap) && has_capability(kCapIpcOwner)) return false;
  if (asks(kNeedsNoAdminCap) && has_capability(kCapSysAdmin)) return false;
  if (asks(kNeedsNoResourceCap) && has_capability(kCapSysResource)) return false;
  const i32 command = site.command & 0xff;
  if (asks(kNeedsSetting) && command != IPC_SET && command != IPC_RMID) return false;
  if (asks(kNeedsAllocation)) {
    const bool is_many = is_semop(site.op) ? site.has(kSiteUndo | kSiteMany)
                                           : command == GETALL || command == SETALL;
    if (!is_many) return false;
  }
  return true;
}

// Those that other effects bring about, and more truly at that, are left to them.
bool is_left_to_others(const FaultOutcome& outcome) {
  if (outcome.way == FaultWay::Removed || outcome.way == FaultWay::Asleep ||
      outcome.way == FaultWay::Expired) {
    return true;
  }
  const bool is_shortage = outcome.error == EAGAIN || outcome.error == ENOMSG;
  return is_shortage && can_block(outcome.op);
}

void add_errors(std::vector<Effect>& effects, const SweepSite& site, u64 capabilities,
                bool allows_illegal) {
  const FaultOutcomes outcomes = fault_outcomes();
  for (u32 n = 0; n < outcomes.count; ++n) {
    const FaultOutcome& outcome = outcomes.first[n];
    if (outcome.op != site.op) continue;
    const bool is_legal =
        outcome.way != FaultWay::Never && is_possible(outcome, site, capabilities);
    if (!is_legal && !allows_illegal) continue;
    if (is_legal && is_left_to_others(outcome)) continue;
    const char* const name = name_of_errno(outcome.error);
    // An error may come about in several ways.
    const bool is_new =
        name != nullptr && std::none_of(effects.begin(), effects.end(),
                                        [&](const Effect& e) { return e.errors[0] == name; });
    if (is_new) effects.push_back({EffectGroup::Errors, fmt::format("err({})", name), {name}});
  }
}

std::vector<Effect> effects_of(const SweepSite& site, u64 capabilities, bool allows_illegal) {
  std::vector<Effect> effects;
  add_errors(effects, site, capabilities, allows_illegal);
  const bool can_sleep = can_block(site.op) && site.has(kSiteWaits);
  const std::string shortage = shortage_of(site.op);
  const auto add = [&](EffectGroup group, std::string action, std::vector<std::string> errors) {
    effects.push_back({group, std::move(action), std::move(errors)});
  };
  if (can_sleep) add(EffectGroup::Eintr, shortage + "->eintr", {"EINTR"});
  if (can_block(site.op) && site.has(kSiteNowait)) {
    add(EffectGroup::Full, shortage, {site.op == FaultOp::Msgrcv ? "ENOMSG" : "EAGAIN"});
  }
  if (is_system_v(site.op)) {
    add(EffectGroup::Rmid, "rmid(before)", {"EINVAL", "ENOENT"});
    if (can_sleep) add(EffectGroup::Rmid, shortage + "->rmid(blocked)", {"EIDRM"});
  } else {
    add(EffectGroup::Rmid, "rmid(before)", {"ENOENT"});
  }
  if (can_sleep && has_deadline(site.op)) {
    add(EffectGroup::Timeout, shortage + "->timeout",
        {site.op == FaultOp::Semtimedop ? "EAGAIN" : "ETIMEDOUT"});
  }
  add(EffectGroup::Kill, "kill(before)", {});
  if (can_sleep) add(EffectGroup::Kill, shortage + "->kill(blocked)", {});
  add(EffectGroup::Kill, "kill(after)", {});
  add(EffectGroup::Delay, kDelay, {});
  if (allows_illegal) {
    for (const char* action : {"unsafe.drop", "unsafe.dup", "unsafe.corrupt"})
      add(EffectGroup::Unsafe, action, {});
  }
  for (Effect& effect : effects) {
    effect.is_once = effect.group == EffectGroup::Kill;
    effect.is_retried = effect.group == EffectGroup::Eintr || effect.group == EffectGroup::Full ||
                        effect.group == EffectGroup::Timeout || effect.group == EffectGroup::Delay;
  }
  return effects;
}

bool is_error_name(const std::string& name) {
  for (int number = 1; number < 134; ++number) {
    const char* const known = name_of_errno(number);
    if (known != nullptr && name == known) return true;
  }
  return false;
}

void check_selection(const std::vector<std::string>& selection) {
  for (const std::string& word : selection) {
    const bool is_group = std::any_of(std::begin(kGroups), std::end(kGroups),
                                      [&](EffectGroup group) { return word == name_of(group); });
    if (!is_group && !is_error_name(word)) {
      std::vector<std::string> groups;
      for (EffectGroup group : kGroups) groups.emplace_back(name_of(group));
      throw Failure(
          fmt::format("--effects {}: there is no such effect; there are {}, and the names "
                      "of errors, like ENOMEM",
                      word, fmt::join(groups, ", ")));
    }
  }
}

bool is_selected(const Effect& effect, const std::vector<std::string>& selection) {
  if (selection.empty()) return true;
  return std::any_of(selection.begin(), selection.end(), [&](const std::string& word) {
    return word == name_of(effect.group) ||
           std::find(effect.errors.begin(), effect.errors.end(), word) != effect.errors.end();
  });
}

std::string rule_of(const SweepSite& site, const Effect& effect, bool lasts) {
  const u64 first = site.number != 0 ? site.number : 1;
  std::string trigger = fmt::format("@{}", first);
  if (lasts) {
    trigger += effect.is_retried ? fmt::format("..{}", first + kPatience - 1) : "+";
  }
  return fmt::format("{}{}{}={}", name_of(site.op), site.predicates(), trigger, effect.action);
}

bool parses(const std::string& text, bool allows_illegal, FaultRule* rule, FaultError* error) {
  FaultParseOptions options;
  options.allow_illegal = allows_illegal;
  return parse_fault_rule(text.c_str(), text.size(), options, rule, error);
}

// The trials of one site, in the order in which they are to be made. What Linux could never answer
// is left out: the parser knows.
std::vector<Trial> trials_of(const SweepSite& site, std::size_t index, const SweepOptions& options,
                             u64 capabilities) {
  std::vector<Trial> trials;
  const std::vector<Effect> effects = effects_of(site, capabilities, options.allows_illegal);
  for (const bool lasts : {false, true}) {
    for (const Effect& effect : effects) {
      if ((lasts && effect.is_once) || !is_selected(effect, options.effects)) continue;
      const std::string rule = rule_of(site, effect, lasts);
      FaultRule parsed;
      FaultError error;
      if (!parses(rule, options.allows_illegal, &parsed, &error)) continue;
      trials.push_back({index, effect.group, effect.action, lasts, rule});
    }
  }
  return trials;
}

}  // namespace

const char* name_of(EffectGroup group) {
  switch (group) {
    case EffectGroup::Errors: return "errors";
    case EffectGroup::Eintr: return "eintr";
    case EffectGroup::Full: return "full";
    case EffectGroup::Rmid: return "rmid";
    case EffectGroup::Timeout: return "timeout";
    case EffectGroup::Kill: return "kill";
    case EffectGroup::Delay: return "delay";
    case EffectGroup::Unsafe: return "unsafe";
  }
  return "?";
}

u64 own_capabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("CapEff:", 0) == 0) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

std::vector<Trial> make_plan(const std::vector<SweepSite>& sites, const SweepOptions& options,
                             u64 capabilities) {
  check_selection(options.effects);
  std::vector<std::vector<Trial>> by_site;
  std::size_t most = 0;
  for (std::size_t n = 0; n < sites.size(); ++n) {
    by_site.push_back(trials_of(sites[n], n, options, capabilities));
    most = std::max(most, by_site.back().size());
  }
  std::vector<Trial> plan;
  // Sites of callers that are not known have the same rules.
  std::set<std::string> rules;
  for (std::size_t round = 0; round < most; ++round) {
    for (const std::vector<Trial>& trials : by_site) {
      if (round >= trials.size() || !rules.insert(trials[round].rule).second) continue;
      plan.push_back(trials[round]);
    }
  }
  return plan;
}

FaultRule parse_planned(const std::string& text, bool allows_illegal) {
  FaultRule rule;
  FaultError error;
  if (!parses(text, allows_illegal, &rule, &error)) {
    throw Failure(
        fmt::format("the rule {} is wrong at column {}: {}", text, error.column, error.message));
  }
  return rule;
}

}  // namespace ipcell::cli
