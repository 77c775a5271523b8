#include <cstdlib>
#include <sched.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "cli/sweep/report.h"
#include "cli/sweep/sweep.h"

namespace ipcell::cli {

namespace {

constexpr const char* kExamples =
    R"(First CMD is run undisturbed some times: that tells what its output is, how long it takes, what it
leaves behind, and from which places it makes IPC calls. Then it is run once for each of these places
and each fault that Linux could give there, once and lasting, each time in a fresh cell. The class of
each run:
  same          status and output as undisturbed
  handled       it failed, and said so: a status other than 0, and a message
  silent wrong  status 0 with another output, or failed without a message, or --check fails
  crash, hang   (a hang with who waits for whom)
  leak          objects are left that undisturbed runs do not leave
  flaky         several runs of the same fault ended in several ways
  not reached   the fault did not come about

Examples:
  ipcell sweep -- ./test
  ipcell sweep --check 'grep -q "all done"' -- ./test      judges by what the program wrote
  ipcell sweep --effects errors,eintr --budget 5min -- ./test
  ipcell sweep --state sweep.state --report sweep.html --report sweep.xml -- ./test

The status is 0 if nothing bad was found, 1 if something was, 2 if the sweep could not be done.)";

// "90", "90s", "1.5min", "500ms", "2h".
double parse_duration(const char* option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  double factor = 0;
  if (unit.empty() || unit == "s") factor = 1;
  if (unit == "ms") factor = 0.001;
  if (unit == "min" || unit == "m") factor = 60;
  if (unit == "h") factor = 3600;
  const bool is_number = end != text.c_str() && value > 0 && value < 1e9;
  if (factor == 0 || !is_number) {
    throw Failure(fmt::format("{} {}: give a time, as 30s, 500ms, 5min or 2h", option, text));
  }
  return value * factor;
}

std::vector<std::string> parse_list(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + ",") {
    if (c != ',' && c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

u64 parse_seed(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 0);
  if (errno != 0 || text.empty() || *end != '\0' || text[0] == '-') {
    throw Failure(fmt::format("--seed {}: give a number from 0 to 2^64-1", text));
  }
  return value;
}

unsigned count_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace

CLI::App* add_sweep_command(CLI::App& app, SweepArguments& arguments) {
  SweepOptions& options = arguments.options;
  CLI::App* const sweep =
      app.add_subcommand("sweep", "Try each fault at each IPC call of a command, and judge it");
  sweep
      ->add_option("--check", options.check,
                   "A shell command, run in the cell after each run that ended as undisturbed\n"
                   "ones do, with the program's output as its input: 0 if all is well")
      ->type_name("CMD");
  sweep->add_flag("--ignore-output", options.ignores_output, "Do not compare the program's output");
  sweep->add_option("--jobs", options.jobs, "Runs at a time (as many as there are CPUs)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  sweep->add_option("--budget", arguments.budget, "Start no run after this time: 30s, 5min, 2h")
      ->type_name("TIME");
  sweep
      ->add_option("--timeout", arguments.timeout,
                   "A run that takes longer hangs (10 times the longest undisturbed one,\n"
                   "at least 5s)")
      ->type_name("TIME");
  sweep
      ->add_option("--by", arguments.by,
                   "What is disturbed: each place that calls (site), or each call of each\n"
                   "process (call)")
      ->type_name("call|site")
      ->check(CLI::IsMember({"call", "site"}));
  sweep
      ->add_option("--effects", arguments.effects,
                   "Only these: errors, eintr, full, rmid, timeout, kill, delay, or names of\n"
                   "errors as ENOMEM, with commas between them")
      ->type_name("LIST");
  sweep->add_option("--runs", options.runs, "Undisturbed runs (3)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  sweep
      ->add_option("--report", options.reports,
                   "Write a report, by the name's end: .json, .xml (JUnit's), .html; may be\n"
                   "given several times")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sweep->add_flag("--json", options.json, "The report on standard output is JSON");
  sweep
      ->add_option("--state,--resume", options.state,
                   "Keep results in FILE, and go on from those that are there")
      ->type_name("FILE");
  sweep->add_option("--seed", arguments.seed, "Of the rules (1)")->type_name("N");
  sweep->add_flag("--allow-illegal", options.allows_illegal,
                  "Also what Linux could not give, and unsafe.*");
  sweep->add_flag("--no-deny", arguments.no_deny,
                  "Leave the kernel's own IPC open (it answers ENOSYS, as with `run --deny`)");
  sweep->add_flag("--posix", options.posix, "As `ipcell run --posix`");
  sweep->add_option("--limit", options.limits, "As `ipcell run --limit`")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sweep->prefix_command();
  sweep->footer(kExamples);
  return sweep;
}

SweepOptions sweep_options(const SweepArguments& arguments, std::vector<std::string> command) {
  SweepOptions options = arguments.options;
  options.command = std::move(command);
  if (options.command.empty()) {
    throw Failure("sweep: no command; put it behind `--`, as in `ipcell sweep -- ./test`");
  }
  if (!arguments.budget.empty()) options.budget = parse_duration("--budget", arguments.budget);
  if (!arguments.timeout.empty()) options.timeout = parse_duration("--timeout", arguments.timeout);
  if (!arguments.seed.empty()) options.seed = parse_seed(arguments.seed);
  options.by_call = arguments.by == "call";
  options.effects = parse_list(arguments.effects);
  options.denies = !arguments.no_deny;
  if (options.jobs == 0) options.jobs = count_cpus();
  for (const std::string& report : options.reports) check_report_name(report);
  return options;
}

}  // namespace ipcell::cli
