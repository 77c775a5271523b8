#include "cli/fault/run_faults.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/failure.h"
#include "cli/fault/rules.h"

namespace ipcell::cli {

namespace {

constexpr char kRules[] = "IPCELL_FAULTS";
constexpr char kSeed[] = "IPCELL_FAULT_SEED";
constexpr char kIllegal[] = "IPCELL_FAULT_ILLEGAL";
// Where the program stands in the tree of another run's processes.
constexpr char kPath[] = "IPCELL_FAULT_PATH";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<std::uint64_t> seed_of_environment() {
  const std::string text = variable(kSeed);
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const unsigned long long seed = std::strtoull(text.c_str(), &end, 0);
  if (errno != 0 || *end != '\0' || text[0] == '-')
    throw Failure(fmt::format("{}: `{}` is no number from 0 to 2^64-1", kSeed, text));
  return seed;
}

std::vector<FaultSource> sources_of(const FaultOptions& options) {
  std::vector<FaultSource> sources;
  const std::string illegal = variable(kIllegal);
  sources.push_back(
      {kRules, variable(kRules), options.allow_illegal || (!illegal.empty() && illegal != "0")});
  for (const std::string& file : options.files)
    sources.push_back(read_fault_file(file, options.allow_illegal));
  for (const std::string& text : options.rules)
    sources.push_back({"--fault", text, options.allow_illegal});
  return sources;
}

// A rule that did nothing makes a test of nothing.
void tell_of_unmet(const FaultRec& met) {
  if (has_fired(met)) return;
  std::string why = "no call matched";
  if (met.fired != 0) {
    why = "Linux could not have answered so to the calls that it met";
  } else if (met.matched != 0) {
    why = fmt::format("{} call{} matched", met.matched, met.matched == 1 ? "" : "s");
  }
  spdlog::warn("fault rule {} never fired: {}", describe(met.rule), why);
}

}  // namespace

RunFaults::RunFaults(const FaultOptions& options)
    : rules_(parse_faults(sources_of(options))), seed_(options.seed) {
  if (rules_.empty()) return;
  if (!seed_) seed_ = seed_of_environment();
  if (!seed_ && std::any_of(rules_.begin(), rules_.end(), needs_seed)) seed_ = draw_seed();
}

void RunFaults::enter(const CellPlace& place) {
  if (rules_.empty()) return;
  add_faults(place, rules_, seed_);
  if (std::any_of(rules_.begin(), rules_.end(), needs_seed)) {
    spdlog::info("{} fault rule{}, seed {}", rules_.size(), rules_.size() == 1 ? "" : "s", *seed_);
  }
}

void RunFaults::leave(const CellPlace& place, bool removes) {
  if (rules_.empty()) return;
  std::vector<std::string> ids;
  for (const FaultRule& rule : rules_) ids.emplace_back(rule.id);
  try {
    for (const FaultRec& met : faults_in(place)) {
      if (std::find(ids.begin(), ids.end(), met.rule.id) != ids.end()) tell_of_unmet(met);
    }
  } catch (const Failure& error) {
    spdlog::warn("the fault rules' counts can't be told: {}", error.what());
    return;
  }
  if (removes && !remove_faults(place, ids)) {
    spdlog::warn("the fault rules could not be removed; `ipcell fault rm --name {}` does it",
                 name_of_cell(place));
  }
}

bool is_fault_variable(const std::string& name) {
  return name == kRules || name == kSeed || name == kIllegal || name == kPath;
}

}  // namespace ipcell::cli
