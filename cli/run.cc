#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sys/random.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/bury.h"
#include "cli/cells.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/deny.h"
#include "cli/failure.h"
#include "cli/places.h"
#include "cli/preload_check.h"
#include "cli/set_limits.h"
#include "cli/trap/session.h"
#include "core/cell/namespace_cell.h"

extern char** environ;

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

// A fresh cell with a name of its own. It is put together under a draft name, so that no sweep
// meets it half made, and removed at the end unless it is to be kept.
class FreshCell {
 public:
  FreshCell(const Places& places, u32 mode, bool is_kept, const std::vector<Limit>& limits)
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

  const CellPlace& place() const { return place_; }
  int descriptor() const { return runner_ ? runner_->descriptor() : -1; }

  // After the program's end. Processes that it left behind keep the cell; the last one removes it.
  void leave() {
    if (is_kept_) {
      bury_dead(place_);
      spdlog::info(
          "cell {} is kept; use it with `ipcell run --name {} -- …`, remove it with `ipcell "
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

 private:
  std::string name() const { return draft_.substr(std::strlen(kDraftPrefix)); }
  bool is_used() const { return look_at_cell(place_).is_used(); }

  void make(const std::string& folder, const DirRequest& request,
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

  bool is_kept_;
  CellPlace place_{};
  std::string draft_;
  std::optional<RunnerFile> runner_;
};

CellPlace named_cell(const Places& places, const std::string& name, u32 mode) {
  CellPlace place;
  const DirStatus status = locate_cell(places.request(name.c_str(), mode), Create::Yes, &place);
  if (!status.ok()) throw Failure(explain(status, place.base.text));
  open_cell(place, cell_options(mode));
  return place;
}

// LD_PRELOAD with the library in front.
std::string preload_of(const std::string& library) {
  const char* present = std::getenv("LD_PRELOAD");
  if (present == nullptr || *present == '\0') return library;
  const std::string rest = present;
  const bool is_there = rest == library || rest.compare(0, library.size() + 1, library + ":") == 0;
  return is_there ? rest : library + ":" + rest;
}

// This process's environment with other values for what the library reads.
std::vector<std::string> environment_for(const CellPlace& place, const std::string& library,
                                         const RunOptions& options) {
  // Decided here for all that is started: another user's rights to /dev/shm may be others.
  const char* wanted = std::getenv("IPCELL_POSIX");
  const bool is_wanted = wanted != nullptr && *wanted != '\0' && *wanted != '0';
  const bool has_names = options.posix || is_wanted || !has_dev_shm();
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    if (name != "LD_PRELOAD" && name != "IPCELL_DIR" && name != "IPCELL_CELL" &&
        name != "IPCELL_MODE" && !(has_names && name == "IPCELL_POSIX")) {
      result.push_back(text);
    }
  }
  result.push_back("LD_PRELOAD=" + preload_of(library));
  result.push_back(std::string("IPCELL_DIR=") + place.base.text);
  result.push_back(std::string("IPCELL_CELL=") + name_of_cell(place));
  if (options.mode) result.push_back(fmt::format("IPCELL_MODE={:04o}", *options.mode));
  // Programs in other IPC namespaces, which are cells of their own, have the same names.
  if (has_names) result.push_back(std::string("IPCELL_POSIX=") + name_of_cell(place));
  return result;
}

// A program without the library runs on, with the kernel's IPC instead of the cell's.
void warn_of_unloadable(const RunOptions& options, const std::string& library) {
  using Kind = PreloadVerdict::Kind;
  const bool drops_privileges = options.deny || options.trap;
  const PreloadVerdict verdict = check_preload(options.command[0], library, drops_privileges);
  // DIVERGES: no shmat(2), see docs/compatibility.md.
  if (verdict.kind == Kind::Static && options.trap) return;
  if (verdict.kind == Kind::Static || verdict.kind == Kind::Privileged ||
      verdict.kind == Kind::OtherMachine) {
    spdlog::warn("{} will not see the cell: {}; {}", verdict.path.back(), verdict.reason,
                 verdict.advice);
  }
}

int exec_failure(const std::string& program, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    const std::string path = find_program(program);
    if (path.empty()) {
      spdlog::error("{}: no such program; check its name, and PATH", program);
      return kNotFound;
    }
    spdlog::error("{}: its interpreter or loader is missing; `ipcell doctor {}` says more", path,
                  program);
    return kNotExecutable;
  }
  spdlog::error("{}: cannot be executed: {}", program, std::strerror(error));
  return kNotExecutable;
}

int exit_status(const ChildEnd& end, const RunOptions& options) {
  switch (end.stage) {
    case ChildEnd::Stage::Fork:
      throw Failure(fmt::format("no process could be made: {}", std::strerror(end.error)));
    case ChildEnd::Stage::Confine: {
      const char* const option = options.trap ? "--trap" : "--deny";
      throw Failure(fmt::format("{}: the kernel refused the filter: {}; run without {}", option,
                                std::strerror(end.error), option));
    }
    case ChildEnd::Stage::Exec: return exec_failure(options.command[0], end.error);
    case ChildEnd::Stage::Ran: break;
  }
  return WIFSIGNALED(end.status) ? 128 + WTERMSIG(end.status) : WEXITSTATUS(end.status);
}

}  // namespace

int run(const RunOptions& options, const Places& places) {
  const u32 mode = options.mode.value_or(0600);
  if (!is_cell_mode(mode)) {
    throw Failure(
        fmt::format("--mode {:04o}: {}", mode, DirStatus{DirFault::ModeInvalid}.describe()));
  }
  const std::string library = places.library();
  std::optional<Denial> denial;
  // What is trapped does not reach the kernel's own IPC.
  if (options.deny && !options.trap) denial.emplace();
  const std::vector<Limit> limits = parse_limits(options.limits);
  sweep(places.base_for(mode));

  std::optional<FreshCell> fresh;
  CellPlace place;
  if (options.name.empty()) {
    fresh.emplace(places, mode, options.keep, limits);
    place = fresh->place();
  } else {
    place = named_cell(places, options.name, mode);
    set_limits(place, limits);
  }
  warn_of_unloadable(options, library);
  std::optional<TrapSession> trap;
  if (options.trap) trap.emplace(place);
  const ChildEnd end =
      run_child({.command = options.command,
                 .environment = environment_for(place, library, options),
                 .start = trap ? [&] { return trap->start(); } : std::function<StartedChild()>(),
                 .confine =
                     [&] {
                       if (trap) return trap->confine();
                       return denial ? denial->load() : 0;
                     },
                 .kept_descriptor = fresh ? fresh->descriptor() : -1});
  // Namespaces of programs that were killed.
  sweep_namespaces(place.base.text);
  if (fresh) {
    fresh->leave();
  } else {
    bury_dead(place);
  }
  return exit_status(end, options);
}

}  // namespace ipcell::cli
