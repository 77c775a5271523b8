#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace ipcell::cli {

namespace {

nlohmann::ordered_json to_json(const CellInfo& cell) {
  nlohmann::ordered_json json = {
      {"name", cell.name},
      {"path", cell.place.folder.text},
      {"state", cell.state},
      {"reason", cell.reason},
      {"bytes", cell.bytes},
      {"age_seconds", cell.age},
      {"namespace", cell.is_namespace},
      {"ipc_namespace", cell.ipc_namespace},
      {"transient", cell.is_transient},
      {"orphaned", cell.is_orphaned},
      {"tasks", cell.live_tasks},
      {"processes", cell.processes},
      {"queues", cell.queues},
      {"semaphore_sets", cell.semaphore_sets},
      {"segments", cell.segments},
      {"posix_queues", cell.posix_queues},
      {"posix_names", cell.posix_names},
      {"faults", cell.fault_rules},
  };
  if (cell.runner.state == RunnerState::Alive) json["runner"] = cell.runner.pid;
  return json;
}

std::string state_of(const CellInfo& cell) {
  std::string text = cell.state;
  if (!cell.reason.empty()) text += ": " + cell.reason;
  if (cell.is_namespace) {
    text += " (an IPC namespace, its last process removes it)";
  } else if (cell.is_orphaned) {
    text += " (its run has ended, its last process removes it)";
  } else if (cell.is_transient) {
    text += fmt::format(" (of `ipcell run`, process {})", cell.runner.pid);
  }
  if (cell.fault_rules != 0)
    text += fmt::format(", {} fault rule{}", cell.fault_rules, cell.fault_rules == 1 ? "" : "s");
  return text;
}

void print_table(const std::vector<CellInfo>& cells) {
  std::size_t width = 4;
  for (const CellInfo& cell : cells) width = std::max(width, cell.name.size());
  fmt::print("{:<{}}  {:>9}  {:>6}  {:>9}  {:>6}  {:>8}  {:>8}  {:>7}  {:>5}  {}\n", "NAME", width,
             "SIZE", "AGE", "PROCESSES", "QUEUES", "SEM SETS", "SEGMENTS", "MQUEUES", "POSIX",
             "STATE");
  for (const CellInfo& cell : cells) {
    fmt::print("{:<{}}  {:>9}  {:>6}  {:>9}  {:>6}  {:>8}  {:>8}  {:>7}  {:>5}  {}\n", cell.name,
               width, format_bytes(cell.bytes), format_age(cell.age), cell.processes.size(),
               cell.queues, cell.semaphore_sets, cell.segments, cell.posix_queues, cell.posix_names,
               state_of(cell));
  }
}

}  // namespace

int ls(const LsOptions& options, const Places& places) {
  u32 mode;
  const std::string base = places.present_base(&mode);
  std::vector<CellInfo> cells;
  if (!base.empty()) {
    remove_leftovers(base);
    cells = list_cells(base);
  }
  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const CellInfo& cell : cells) list.push_back(to_json(cell));
    fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else if (cells.empty()) {
    spdlog::info("no cells{}", base.empty() ? "" : " in " + base);
  } else {
    print_table(cells);
  }
  return 0;
}

}  // namespace ipcell::cli
