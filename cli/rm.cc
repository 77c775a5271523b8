#include <spdlog/spdlog.h>

#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/places.h"

namespace ipcell::cli {

namespace {

// The cell's programs as a sentence's end; empty if there are none.
std::string users_of(const CellInfo& cell) {
  std::string text = describe_processes(cell.processes);
  if (text.empty() && cell.live_tasks != 0) {
    text = "threads in another pid namespace: " + std::to_string(cell.live_tasks);
  }
  if (text.empty() && cell.runner.state == RunnerState::Alive) {
    text = "its `ipcell run`, process " + std::to_string(cell.runner.pid);
  }
  return text;
}

bool remove_one(const std::string& name, const std::string& base, const DirRequest& request,
                bool force) {
  CellPlace place;
  DirStatus status = place_cell(base.c_str(), name.c_str(), &place);
  if (!status.ok()) {
    spdlog::error("{}", explain(status, name.c_str()));
    return false;
  }
  if (!base.empty()) status = check_cell_folder(place.folder.text, request, Create::No);
  if (base.empty() || status.fault == DirFault::NotFound) {
    spdlog::error("{}: there is no such cell; `ipcell ls` lists those that are there", name);
    return false;
  }
  if (!status.ok()) {
    spdlog::error("{}", explain(status, place.folder.text));
    return false;
  }
  const std::string users = force ? "" : users_of(look_at_cell(place));
  if (!users.empty()) {
    spdlog::error("{}: in use by {}; end them first, or take it away from them with --force", name,
                  users);
    return false;
  }
  status = remove_cell(place);
  if (!status.ok()) spdlog::error("{}", explain(status, place.folder.text));
  return status.ok();
}

}  // namespace

int rm(const RmOptions& options, const Places& places) {
  u32 mode;
  const std::string base = places.present_base(&mode);
  const DirRequest request = places.request(nullptr, mode);
  bool is_done = true;
  for (const std::string& name : options.names) {
    is_done = remove_one(name, base, request, options.force) && is_done;
  }
  if (!base.empty()) remove_leftovers(base);
  return is_done ? 0 : 1;
}

}  // namespace ipcell::cli
