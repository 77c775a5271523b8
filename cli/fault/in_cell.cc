#include "cli/fault/in_cell.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <fmt/format.h>

#include "cli/failure.h"
#include "cli/places.h"
#include "cli/text.h"
#include "cli/tool_task.h"
#include "core/ipc/fault.h"

namespace ipcell::cli {

namespace {

// A cell whose file can be read as this build's.
struct UsableCell {
  explicit UsableCell(const CellPlace& place) : reader(place.file.text) {
    Cell cell;
    const CellStatus status = open_as_it_is(place, &cell);
    cell.close();
    if (!status.ok()) throw Failure(explain(status, place.file.text));
    if (!reader.read(0, &header)) throw Failure(fmt::format("{}: can't be read", place.file.text));
  }

  CellReader reader;
  Header header{};
};

Task& task_of(ToolTask& tool, const CellPlace& place) {
  if (tool.get() == nullptr) {
    throw Failure(
        fmt::format("{}: the cell can't be used; `ipcell ls` says why", place.folder.text));
  }
  return *tool.get();
}

std::string why_not(int error, const FaultRule& rule, const CellPlace& place) {
  switch (error) {
    case -EEXIST:
      return fmt::format(
          "there is a fault rule {} already; `ipcell fault rm --name {} {}` removes it", rule.id,
          name_of_cell(place), rule.id);
    case -ENOSPC:
      return fmt::format("the cell has {} fault rules; there is no room for more", kFaultRules);
    case -ENOMEM: return "no memory for fault rules: the cell's filesystem is full";
    default: return fmt::format("{}: the cell is damaged", place.folder.text);
  }
}

void remove_all(Task& task, const std::vector<FaultRule>& rules, std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) (void)remove_fault_rule(task, rules[n].id);
}

}  // namespace

std::vector<FaultRec> faults_in(const CellReader& reader, const Header& header) {
  std::vector<FaultRec> rules;
  if (header.faults == 0) return rules;
  rules.resize(kFaultRules);
  if (!reader.read(offsetof(CellLayout, faults) + offsetof(FaultTable, rules), rules.data(),
                   rules.size()))
    rules.clear();
  rules.erase(std::remove_if(rules.begin(), rules.end(),
                             [](const FaultRec& rec) { return rec.state != kFaultSet; }),
              rules.end());
  for (FaultRec& rec : rules) {
    rec.rule.id[kFaultIdMax - 1] = '\0';
    rec.rule.text_length = std::min(rec.rule.text_length, kFaultTextMax);
  }
  std::sort(rules.begin(), rules.end(),
            [](const FaultRec& a, const FaultRec& b) { return a.serial < b.serial; });
  return rules;
}

std::vector<FaultRec> faults_in(const CellPlace& place) {
  const UsableCell cell(place);
  return faults_in(cell.reader, cell.header);
}

std::uint64_t fault_seed_of(const CellPlace& place) {
  const UsableCell cell(place);
  std::uint64_t seed = 0;
  if (cell.header.faults != 0)
    cell.reader.read(offsetof(CellLayout, faults) + offsetof(FaultTable, seed), &seed);
  return seed;
}

void add_faults(const CellPlace& place, std::vector<FaultRule>& rules,
                std::optional<std::uint64_t> seed) {
  ToolTask tool(place);
  Task& task = task_of(tool, place);
  int error = seed ? set_fault_seed(task, *seed) : 0;
  for (std::size_t n = 0; n < rules.size() && error == 0; ++n) {
    error = add_fault_rule(task, rules[n]);
    if (error == 0) continue;
    remove_all(task, rules, n);
    throw Failure(why_not(error, rules[n], place));
  }
  if (error != 0) throw Failure(why_not(error, {}, place));
}

bool remove_faults(const CellPlace& place, const std::vector<std::string>& ids) {
  ToolTask tool(place);
  if (tool.get() == nullptr) return false;
  for (const std::string& id : ids) {
    const int error = remove_fault_rule(*tool.get(), id.c_str());
    if (error != 0 && error != -ENOENT) return false;
  }
  return true;
}

std::string describe(const FaultRule& rule) {
  return fmt::format("{} `{}`", printable(rule.id, sizeof rule.id),
                     printable(rule.text, std::min<std::size_t>(rule.text_length, kFaultTextMax)));
}

}  // namespace ipcell::cli
