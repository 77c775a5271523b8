// `ipcell fault add | rm | ls | hits`: the rules of a cell that may be in use.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/fault/in_cell.h"
#include "cli/fault/rules.h"
#include "cli/places.h"
#include "cli/text.h"

namespace ipcell::cli {

namespace {

CellPlace cell_of(const FaultCommandOptions& options, const Places& places) {
  u32 mode;
  const std::string base = places.present_base(&mode);
  const char* own = std::getenv("IPCELL_CELL");
  std::string name = options.name;
  if (name.empty()) name = own != nullptr && *own != '\0' ? own : kDefaultCell;
  CellPlace place;
  DirStatus status = place_cell(base.c_str(), name.c_str(), &place);
  if (!status.ok()) throw Failure(explain(status, name.c_str()));
  if (!base.empty())
    status = check_cell_folder(place.folder.text, places.request(nullptr, mode), Create::No);
  if (base.empty() || status.fault == DirFault::NotFound)
    throw Failure(
        fmt::format("{}: there is no such cell; `ipcell ls` lists those that are there", name));
  if (!status.ok()) throw Failure(explain(status, place.folder.text));
  return place;
}

std::string id_of(const FaultRec& rec) { return printable(rec.rule.id, sizeof rec.rule.id); }

std::string text_of(const FaultRec& rec) {
  return printable(rec.rule.text, std::min<std::size_t>(rec.rule.text_length, kFaultTextMax));
}

// `ids`, or all if there are none. Throws Failure if one is not there.
std::vector<FaultRec> chosen(const std::vector<FaultRec>& rules,
                             const std::vector<std::string>& ids) {
  if (ids.empty()) return rules;
  std::vector<FaultRec> found;
  for (const std::string& id : ids) {
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const FaultRec& rec) { return id == rec.rule.id; });
    if (rule == rules.end())
      throw Failure(fmt::format("there is no fault rule {}; `ipcell fault ls` lists them", id));
    found.push_back(*rule);
  }
  return found;
}

nlohmann::ordered_json to_json(const FaultRec& rec) {
  return {{"id", id_of(rec)},       {"rule", text_of(rec)},
          {"off", rec.is_off != 0}, {"illegal", rec.rule.is_illegal != 0},
          {"matched", rec.matched}, {"fired", rec.fired},
          {"refused", rec.refused}};
}

void print_json(const std::vector<FaultRec>& rules) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const FaultRec& rec : rules) list.push_back(to_json(rec));
  fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::size_t id_width(const std::vector<FaultRec>& rules) {
  std::size_t width = 2;
  for (const FaultRec& rec : rules) width = std::max(width, id_of(rec).size());
  return width;
}

void print_rules(const std::vector<FaultRec>& rules) {
  const std::size_t width = id_width(rules);
  fmt::print("{:<{}}  {:<5}  {}\n", "ID", width, "STATE", "RULE");
  for (const FaultRec& rec : rules) {
    fmt::print("{:<{}}  {:<5}  {}{}\n", id_of(rec), width, rec.is_off != 0 ? "off" : "on",
               text_of(rec), rec.rule.is_illegal != 0 ? "  (illegal)" : "");
  }
}

void print_hits(const std::vector<FaultRec>& rules) {
  const std::size_t width = id_width(rules);
  fmt::print("{:<{}}  {:>9}  {:>9}  {:>9}  {}\n", "ID", width, "MATCHED", "FIRED", "REFUSED",
             "RULE");
  for (const FaultRec& rec : rules) {
    fmt::print("{:<{}}  {:>9}  {:>9}  {:>9}  {}\n", id_of(rec), width, rec.matched, rec.fired,
               rec.refused, text_of(rec));
  }
}

}  // namespace

int fault_add(const FaultCommandOptions& options, const Places& places) {
  std::vector<FaultSource> sources;
  for (const std::string& file : options.faults.files)
    sources.push_back(read_fault_file(file, options.faults.allow_illegal));
  for (const std::string& text : options.words)
    sources.push_back({"RULE", text, options.faults.allow_illegal});
  std::vector<FaultRule> rules = parse_faults(sources);
  if (rules.empty()) throw Failure("fault add: no rule; see `ipcell fault add --help`");
  const CellPlace place = cell_of(options, places);
  std::optional<std::uint64_t> seed = options.faults.seed;
  const bool is_seeded = std::any_of(rules.begin(), rules.end(), needs_seed);
  if (!seed && is_seeded) {
    // Another seed would change what the rules do that are there.
    seed = fault_seed_of(place);
    if (*seed == 0) seed = draw_seed();
  }
  add_faults(place, rules, seed);
  for (const FaultRule& rule : rules) fmt::print("{}\n", rule.id);
  if (is_seeded) spdlog::info("seed {}", *seed);
  return 0;
}

int fault_rm(const FaultCommandOptions& options, const Places& places) {
  const CellPlace place = cell_of(options, places);
  if (options.all != options.words.empty())
    throw Failure("fault rm: name the rules to remove, or say --all");
  std::vector<std::string> ids;
  for (const FaultRec& rec : chosen(faults_in(place), options.words)) ids.emplace_back(rec.rule.id);
  if (!remove_faults(place, ids))
    throw Failure(
        fmt::format("{}: the cell can't be used; `ipcell ls` says why", place.folder.text));
  return 0;
}

int fault_ls(const FaultCommandOptions& options, const Places& places) {
  const std::vector<FaultRec> rules = faults_in(cell_of(options, places));
  if (options.json) {
    print_json(rules);
  } else if (rules.empty()) {
    spdlog::info("no fault rules");
  } else {
    print_rules(rules);
  }
  return 0;
}

int fault_hits(const FaultCommandOptions& options, const Places& places) {
  const std::vector<FaultRec> rules = chosen(faults_in(cell_of(options, places)), options.words);
  if (options.json) {
    print_json(rules);
  } else if (rules.empty()) {
    spdlog::info("no fault rules");
  } else {
    print_hits(rules);
  }
  return std::all_of(rules.begin(), rules.end(), has_fired) ? 0 : 1;
}

}  // namespace ipcell::cli
