#include <cstring>
#include <ctime>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>

#include <spdlog/spdlog.h>

#include "cli/cells.h"
#include "core/cell/namespace_cell.h"

namespace ipcell::cli {

namespace {

// A draft without a runner file is one whose runner died at once, or is just being made.
constexpr std::time_t kDraftSeconds = 60;

bool starts_with(const std::string& text, const char* prefix) {
  return text.compare(0, std::strlen(prefix), prefix) == 0;
}

bool is_dead_draft(const std::string& path) {
  const RunnerState runner = look_at_runner(path).state;
  if (runner != RunnerState::None) return runner == RunnerState::Gone;
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && std::time(nullptr) - info.st_mtime > kDraftSeconds;
}

void tell(const DirStatus& status, const char* path) {
  // Another command may be sweeping too.
  if (status.ok() || status.fault == DirFault::NotFound) return;
  spdlog::warn("left behind by an earlier run: {}", explain(status, path));
}

void remove_if_left(const CellPlace& place) {
  if (look_at_runner(place.folder.text).state != RunnerState::Gone) return;
  if (look_at_cell(place).is_used()) {
    // The runner was killed, or did this itself: whoever is last cleans up. If that was just now,
    // nobody will.
    mark_orphaned(place);
    if (look_at_cell(place).is_used()) return;
  }
  tell(remove_cell(place), place.folder.text);
}

}  // namespace

void remove_leftovers(const std::string& base) {
  sweep_namespaces(base.c_str());
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(base.c_str()), closedir);
  if (!entries) return;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string name = entry->d_name;
    const std::string path = base + "/" + name;
    CellPlace place;
    if (starts_with(name, kRemovedPrefix) ||
        (starts_with(name, kDraftPrefix) && is_dead_draft(path))) {
      tell(remove_leftover(base.c_str(), name.c_str()), path.c_str());
    } else if (place_cell(base.c_str(), name.c_str(), &place).ok()) {
      remove_if_left(place);
    }
  }
}

}  // namespace ipcell::cli
