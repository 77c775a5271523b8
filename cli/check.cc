#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/places.h"
#include "cli/tool_task.h"
#include "cli/whole.h"

namespace ipcell::cli {

namespace {

bool check_one(const std::string& name, const std::string& base) {
  CellPlace place;
  const DirStatus status = place_cell(base.c_str(), name.c_str(), &place);
  if (!status.ok()) {
    spdlog::error("{}", explain(status, name.c_str()));
    return false;
  }
  const CellInfo cell = look_at_cell(place);
  if (!cell.is_ok) {
    spdlog::error("{}: {}", name, cell.reason.empty() ? cell.state : cell.reason);
    return false;
  }
  if (cell.is_used()) {
    spdlog::error("{}: in use by {}; what is being changed cannot be checked, so end them first",
                  name,
                  cell.processes.empty() ? "threads of another pid namespace"
                                         : describe_processes(cell.processes));
    return false;
  }
  ToolTask tool(place);
  const std::string damage =
      tool.get() != nullptr ? find_damage(*tool.get()) : "it cannot be used any more";
  if (!damage.empty()) {
    spdlog::error("{}: damaged: {}", name, damage);
    return false;
  }
  fmt::print("{}: whole; {} queues, {} sets, {} segments, {} POSIX queues\n", name, cell.queues,
             cell.semaphore_sets, cell.segments, cell.posix_queues);
  return true;
}

}  // namespace

int check(const CheckOptions& options, const Places& places) {
  u32 mode;
  const std::string base = places.present_base(&mode);
  bool is_well = true;
  for (const std::string& name : options.names) is_well = check_one(name, base) && is_well;
  return is_well ? 0 : 1;
}

}  // namespace ipcell::cli
