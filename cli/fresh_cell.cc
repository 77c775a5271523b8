#include "cli/fresh_cell.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/random.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/bury.h"
#include "cli/cells.h"
#include "cli/failure.h"

namespace ipcell::cli {

namespace {

// Processes that end with the program (the other end of a pipe, say) get this long to do so.
constexpr int kLeaveTries = 5;
constexpr std::chrono::milliseconds kLeavePause{4};

void open_cell(const CellPlace& place, Cell::Options options) {
  Cell cell;
  const CellStatus status = Cell::open_or_create(place.file.text, options, &cell);
  if (!status.ok()) throw Failure(explain(status, place.file.text));
  const bool is_poisoned = cell.is_poisoned();
  cell.close();
  if (is_poisoned) {
    throw Failure(
        fmt::format("{}: the cell is damaged and refuses all calls; `ipcell ls` says why, "
                    "`ipcell rm` removes it",
                    place.folder.text));
  }
}

}  // namespace

FreshCell::FreshCell(const Places& places, u32 mode, bool is_kept, const std::vector<Limit>& limits)
    : is_kept_(is_kept) {
  const std::string base = places.base_for(mode);
  unsigned random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
  const std::string name = fmt::format("{}{}-{:08x}", kTransientPrefix, getpid(), random);
  const DirStatus status = place_cell(base.c_str(), name.c_str(), &place_);
  if (!status.ok()) throw Failure(explain(status, base.c_str()));
  draft_ = kDraftPrefix + name;
  make(base + "/" + draft_, places.request(nullptr, mode), limits);
}

void FreshCell::leave() {
  if (is_kept_) {
    bury_dead(place_);
    spdlog::info("cell {} is kept; use it with `ipcell run --name {} -- …`, remove it with `ipcell "
                 "rm {}`",
                 name(), name(), name());
    return;
  }
  for (int tries = 0; is_used(); ++tries) {
    if (tries < kLeaveTries) {
      std::this_thread::sleep_for(kLeavePause);
      continue;
    }
    mark_orphaned(place_);
    // Who left before the mark was set does not know of it.
    if (is_used()) return;
    break;
  }
  const DirStatus status = remove_cell(place_);
  if (!status.ok() && status.fault != DirFault::NotFound) {
    spdlog::warn("the cell could not be removed: {}", explain(status, place_.folder.text));
  }
}

std::string FreshCell::name() const { return draft_.substr(std::strlen(kDraftPrefix)); }

bool FreshCell::is_used() const { return look_at_cell(place_).is_used(); }

void FreshCell::make(const std::string& folder, const DirRequest& request,
                     const std::vector<Limit>& limits) {
  try {
    const DirStatus status = check_cell_folder(folder.c_str(), request, Create::Yes);
    if (!status.ok()) throw Failure(explain(status, folder.c_str()));
    if (!is_kept_) runner_.emplace(folder);
    CellPlace draft = place_;
    std::snprintf(draft.file.text, sizeof draft.file.text, "%s/%s", folder.c_str(), kCellFile);
    Cell::Options options = cell_options(request.mode);
    options.transient = !is_kept_;
    open_cell(draft, options);
    set_limits(draft, limits);
    if (std::rename(folder.c_str(), place_.folder.text) != 0) {
      throw Failure(fmt::format("{}: {}", place_.folder.text, std::strerror(errno)));
    }
  } catch (...) {
    (void)remove_leftover(place_.base.text, draft_.c_str());
    throw;
  }
}

CellPlace named_cell(const Places& places, const std::string& name, u32 mode) {
  CellPlace place;
  const DirStatus status = locate_cell(places.request(name.c_str(), mode), Create::Yes, &place);
  if (!status.ok()) throw Failure(explain(status, place.base.text));
  open_cell(place, cell_options(mode));
  return place;
}

}  // namespace ipcell::cli
