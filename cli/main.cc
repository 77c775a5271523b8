#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/fault/command_line.h"
#include "cli/places.h"
#include "cli/sweep/sweep.h"

namespace ipcell::cli {

namespace {

constexpr int kUsageError = 2;

constexpr const char* kAbout = "System V IPC in user space, for unmodified programs";

constexpr const char* kExamples = R"(Examples:
  ipcell run -- make test              a fresh cell for one command and all that it starts
  ipcell run --deny -- ./server        ... and proof that the kernel's own IPC is not used
  ipcell run --name work -- ./server   a cell that stays, here and in the next terminal:
  ipcell run --name work -- ipcs -q
  ipcell ls                            the cells that there are
  ipcell rm work                       removes one
  ipcell run --fault 'msgsnd@3=err(ENOMEM)' -- ./server
                                       the third msgsnd fails; `ipcell fault` says more
  ipcell doctor ./server               what works here, and whether the program can be run
  ipcell sweep -- ./test               tries each fault at each IPC call of a program

`ipcell COMMAND --help` says more about each.)";

constexpr const char* kRunExamples =
    R"(Without --name the cell is fresh and private, and is removed when its last process has gone (or by
the next ipcell command, if that one was killed).

Examples:
  ipcell run -- sh -c 'ipcmk -Q; ipcs -q'
  ipcell run --name work -- ipcmk -Q   the queue is still there afterwards:
  ipcell run --name work -- ipcs -q
  ipcell run --deny -- ./server        the kernel's own IPC answers ENOSYS (and setuid programs get
                                       no privileges: seccomp wants that)
  ipcell run --posix -- python3 job.py multiprocessing's locks and shared memory are the cell's, too
  ipcell run --limit kernel.msgmnb=65536 --limit 'kernel.sem=250 32000 32 128' -- ./server
  ipcell run --fault 'semop[block]@2=eintr; shmget=err(ENOSPC)' -- ./server
                                       faults are injected, as `ipcell fault --help` says
  ipcell run --keep -- ./test          keeps a private cell, to look at it after the test

A cell for several users, in a folder that all of them name:
  mkdir -m 1777 /dev/shm/team; export IPCELL_DIR=/dev/shm/team
  ipcell run --mode 0666 --name work -- ./server

The status is that of CMD; 128+N if signal N ended it; 127 if it was not found, 126 if it could not
be executed, 125 if ipcell itself failed. Signals are passed on to CMD.)";

constexpr const char* kLsExamples = R"(Examples:
  ipcell ls
  ipcell ls --json | jq -r '.[] | select(.state != "ok") | .name')";

constexpr const char* kRmExamples =
    R"(A cell that processes use is not removed, unless --force is given: then they keep what they have,
and programs started later do not meet them any more.

Examples:
  ipcell rm work
  ipcell rm --force work run-4711-0badcafe)";

constexpr const char* kCheckExamples =
    R"(Gives back what dead processes left, and walks all that the cell consists of. Nobody may use it
meanwhile. The status is 0 if all of them are whole, else 1.

Examples:
  ipcell run --name work --fault 'msgsnd p=1%=kill(after)' -- ./stress; ipcell check work)";

constexpr const char* kDoctorExamples = R"(The status is 0 if all is well, else 1.

Examples:
  ipcell doctor
  ipcell doctor perl /usr/bin/sudo ./script.sh   can these be run in a cell, and if not, why?)";

// CLI11 does not know of what follows `--`.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_name() == "run" || app->get_name() == "sweep") {
      return "Usage: " + name + " [OPTIONS] -- CMD [ARGS...]\n";
    }
    return CLI::Formatter::make_usage(app, name);
  }
};

// The command line: what stands before the first `--` is CLI11's, the rest is a command.
struct CommandLine {
  std::vector<std::string> own;
  std::vector<std::string> rest;
  bool has_rest = false;
};

CommandLine split(int argc, char** argv) {
  CommandLine line;
  for (int n = 1; n < argc; ++n) {
    if (!line.has_rest && std::string(argv[n]) == "--") {
      line.has_rest = true;
    } else {
      (line.has_rest ? line.rest : line.own).emplace_back(argv[n]);
    }
  }
  return line;
}

// The command that `ipcell run` and `ipcell sweep` start. It is understood without `--`, too; its
// arguments may hold a `--` of their own.
std::vector<std::string> command_of(const CLI::App& app, const CommandLine& line) {
  std::vector<std::string> command = app.remaining();
  if (!command.empty() && command[0][0] == '-') {
    throw Failure(fmt::format("{}: there is no option {}; see `ipcell {} --help`", app.get_name(),
                              command[0], app.get_name()));
  }
  if (!command.empty() && line.has_rest) command.emplace_back("--");
  command.insert(command.end(), line.rest.begin(), line.rest.end());
  return command;
}

struct Interface {
  CLI::App app{kAbout, "ipcell"};
  RunOptions run_options;
  std::string mode;
  LsOptions ls_options;
  RmOptions rm_options;
  CheckOptions check_options;
  DoctorOptions doctor_options;
  SweepArguments sweep_arguments;
  CLI::App* run;
  CLI::App* ls;
  CLI::App* rm;
  CLI::App* check;
  CLI::App* doctor;
  std::optional<FaultCommands> faults;
  CLI::App* sweep;

  Interface() {
    app.formatter(std::make_shared<HelpFormatter>());
    app.footer(kExamples);
    app.set_version_flag("--version", "ipcell " IPCELL_VERSION);
    app.require_subcommand(1);

    run = app.add_subcommand("run",
                             "Run a command in a cell, which it shares with all that it starts");
    run->add_option("--name", run_options.name,
                    "Use the cell NAME, made if missing; it stays afterwards")
        ->type_name("NAME");
    run->add_flag("--keep", run_options.keep, "Keep the fresh private cell, too");
    run->add_flag("--deny", run_options.deny,
                  "The kernel's own System V IPC and POSIX queues answer ENOSYS");
    run->add_flag("--trap", run_options.trap,
                  "IPC calls past libc (inline instructions, static programs) reach the\n"
                  "cell, too; includes --deny");
    run->add_flag("--posix", run_options.posix,
                  "Named POSIX semaphores and shm_open live in the cell (they do anyway\n"
                  "where /dev/shm cannot be used)");
    run->add_option("--mode", mode,
                    "Who may use the cell: 0600 (you), 0660 (your group too), 0666 (all)")
        ->type_name("OCTAL");
    run->add_option("--limit", run_options.limits,
                    "Set a limit first, as `sysctl -w` does: kernel.msgmnb=65536;\nmay be given "
                    "several times")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_fault_options(*run, run_options.faults);
    run->prefix_command();
    run->footer(kRunExamples);

    ls = app.add_subcommand("ls", "List your cells");
    ls->add_flag("--json", ls_options.json, "As JSON");
    ls->footer(kLsExamples);

    rm = app.add_subcommand("rm", "Remove cells");
    rm->add_option("NAME", rm_options.names, "The cells to remove")->required()->type_name("");
    rm->add_flag("--force", rm_options.force, "Even while processes use them");
    rm->footer(kRmExamples);

    check = app.add_subcommand("check", "Say whether cells are whole, after kills and faults");
    check->add_option("NAME", check_options.names, "The cells to check")->required()->type_name("");
    check->footer(kCheckExamples);

    doctor = app.add_subcommand("doctor",
                                "Say what works here, and why a program cannot be run in a cell");
    doctor->add_option("PROGRAM", doctor_options.programs, "Programs to look at")->type_name("");
    doctor->footer(kDoctorExamples);

    faults.emplace(app);
    sweep = add_sweep_command(app, sweep_arguments);
  }
};

// The words of a command that there is not; empty: that was not what is wrong.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
  std::string name;
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const auto known = command->get_subcommands([](const CLI::App*) { return true; });
    if (word[0] == '-' || known.empty()) break;
    name += (name.empty() ? "" : " ") + word;
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const CLI::App* one) { return one->get_name() == word; });
    if (found == known.end()) return name;
    command = *found;
  }
  return "";
}

unsigned parse_mode(const std::string& text) {
  const bool is_octal =
      !text.empty() && text.size() <= 5 && text.find_first_not_of("01234567") == std::string::npos;
  if (!is_octal)
    throw Failure(
        fmt::format("--mode {}: {}", text, DirStatus{DirFault::ModeInvalid, 0}.describe()));
  return static_cast<unsigned>(std::stoul(text, nullptr, 8));
}

int execute(Interface& interface, const CommandLine& line) {
  const Places places;
  if (*interface.run) {
    interface.run_options.command = command_of(*interface.run, line);
    if (!interface.mode.empty()) interface.run_options.mode = parse_mode(interface.mode);
    if (interface.run_options.command.empty()) {
      throw Failure("run: no command; put it behind `--`, as in `ipcell run -- ipcs -q`");
    }
    return run(interface.run_options, places);
  }
  if (*interface.sweep) {
    return sweep(sweep_options(interface.sweep_arguments, command_of(*interface.sweep, line)),
                 places);
  }
  if (*interface.ls) return ls(interface.ls_options, places);
  if (interface.faults->is_called()) return interface.faults->execute(places);
  if (*interface.rm) return rm(interface.rm_options, places);
  if (*interface.check) return check(interface.check_options, places);
  return doctor(interface.doctor_options, places);
}

// Descriptors 0 to 2 of our own must never be files of ours; a program started by us finds those
// closed that the caller had closed.
void occupy_standard_descriptors() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

void set_up_diagnostics() {
  auto logger = spdlog::stderr_logger_st("ipcell");
  spdlog::set_default_logger(logger);
  spdlog::set_pattern("%n: %v");
}

int start(int argc, char** argv) {
  occupy_standard_descriptors();
  set_up_diagnostics();
  const CommandLine line = split(argc, argv);
  const std::string name = line.own.empty() ? "" : line.own[0];
  const bool is_run = name == "run", is_sweep = name == "sweep";
  const int failure = is_run ? kRunFailed : is_sweep ? kSweepFailed : 1;
  try {
    Interface interface;
    try {
      std::vector<std::string> arguments(line.own.rbegin(), line.own.rend());
      // For all commands but these the `--` only ends the options.
      if (line.has_rest && !is_run && !is_sweep) {
        arguments.insert(arguments.begin(), line.rest.rbegin(), line.rest.rend());
      }
      interface.app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp& help) {
      return interface.app.exit(help);
    } catch (const CLI::CallForVersion& version) {
      return interface.app.exit(version);
    } catch (const CLI::ParseError& error) {
      const std::string unknown = unknown_command(interface.app, line.own);
      if (!unknown.empty()) {
        spdlog::error("there is no command {}; see `ipcell --help`", unknown);
        return kUsageError;
      }
      const bool has_own_help = is_run || is_sweep || name == "fault";
      spdlog::error("{}; see `ipcell {}--help`", error.what(), has_own_help ? name + " " : "");
      return is_run ? kRunFailed : kUsageError;
    }
    return execute(interface, line);
  } catch (const Failure& error) {
    spdlog::error("{}", error.what());
    return failure;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return failure;
  }
}

}  // namespace

}  // namespace ipcell::cli

int main(int argc, char** argv) { return ipcell::cli::start(argc, argv); }
