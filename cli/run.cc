#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/wait.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/bury.h"
#include "cli/cells.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/deny.h"
#include "cli/environment.h"
#include "cli/failure.h"
#include "cli/fault/run_faults.h"
#include "cli/fresh_cell.h"
#include "cli/places.h"
#include "cli/preload_check.h"
#include "cli/set_limits.h"
#include "cli/trap/session.h"
#include "core/cell/namespace_cell.h"

namespace ipcell::cli {

namespace {

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
  RunFaults faults(options.faults);
  remove_leftovers(places.base_for(mode));

  std::optional<FreshCell> fresh;
  CellPlace place;
  if (options.name.empty()) {
    fresh.emplace(places, mode, options.keep, limits);
    place = fresh->place();
  } else {
    place = named_cell(places, options.name, mode);
    set_limits(place, limits);
  }
  faults.enter(place);
  warn_of_unloadable(options.command[0], library, options.deny, options.trap);
  std::optional<TrapSession> trap;
  if (options.trap) trap.emplace(place);
  const ChildEnd end =
      run_child({.command = options.command,
                 .environment = environment_for({place, library, options.posix, options.mode}),
                 .start = trap ? [&] { return trap->start(); } : std::function<StartedChild()>(),
                 .confine =
                     [&] {
                       if (trap) return trap->confine();
                       return denial ? denial->load() : 0;
                     },
                 .kept_descriptor = fresh ? fresh->descriptor() : -1});
  // Namespaces of programs that were killed.
  sweep_namespaces(place.base.text);
  faults.leave(place, !fresh);
  if (fresh) {
    fresh->leave();
  } else {
    bury_dead(place);
  }
  return exit_status(end, options);
}

}  // namespace ipcell::cli
