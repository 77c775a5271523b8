// Kills a process at each of an operation's instructions in turn, and looks whether the survivors
// can go on and the operation is whole or absent. See scenario.h for what is tried, stage.h for who
// takes part, run.h for one death.
//
//   crash_step                 a slice of every scenario; another with each seed
//   crash_step --all           every instruction
//   crash_step --scenario S --kill-at K [--kill2-at J] [--late] [--thread]     one death again
//
// Without address randomisation a build's instructions have the same numbers in each run.
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tests/crash/sweep.h"

namespace crash {

namespace {

constexpr int kSkip = 77;

const char kUsage[] =
    "usage: crash_step [--all] [--points N] [--first-points N] [--seconds N] [--seed N]\n"
    "                  [--scenario NAME]...\n"
    "                  [--kill-at K [--kill2-at J]] [--late] [--thread] [--verbose]\n"
    "                  [--list] [--self-test]\n";

struct Arguments {
  SweepOptions sweep;
  std::vector<std::string> names;
  Plan plan;
  double seconds = 95;  // for all together, unless --all
  bool is_single = false;
  bool is_list = false;
  bool is_self_test = false;
};

long parse_number(const char* text) {
  if (std::strcmp(text, "end") == 0) return kToTheEnd;
  char* end;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0') {
    std::fprintf(stderr, "crash_step: '%s' is no number\n", text);
    std::exit(2);
  }
  return value;
}

// Options that take a value. False if it is none of them.
bool parse_valued(const char* option, const char* value, Arguments& arguments) {
  if (std::strcmp(option, "--scenario") == 0) {
    arguments.names.push_back(value);
  } else if (std::strcmp(option, "--points") == 0) {
    arguments.sweep.points = parse_number(value);
  } else if (std::strcmp(option, "--first-points") == 0) {
    arguments.sweep.first_points = parse_number(value);
  } else if (std::strcmp(option, "--seconds") == 0) {
    arguments.seconds = static_cast<double>(parse_number(value));
  } else if (std::strcmp(option, "--seed") == 0) {
    arguments.sweep.seed = static_cast<std::uint64_t>(parse_number(value));
  } else if (std::strcmp(option, "--kill-at") == 0) {
    arguments.plan.kill_at = parse_number(value);
    arguments.is_single = true;
  } else if (std::strcmp(option, "--kill2-at") == 0) {
    arguments.plan.kill2_at = parse_number(value);
  } else {
    return false;
  }
  return true;
}

bool parse_flag(const char* option, Arguments& arguments) {
  if (std::strcmp(option, "--all") == 0) {
    arguments.sweep.all = true;
  } else if (std::strcmp(option, "--late") == 0) {
    arguments.plan.is_late = true;
  } else if (std::strcmp(option, "--thread") == 0) {
    arguments.sweep.death = arguments.plan.death = Death::Thread;
  } else if (std::strcmp(option, "--verbose") == 0) {
    arguments.sweep.is_verbose = true;
  } else if (std::strcmp(option, "--list") == 0) {
    arguments.is_list = true;
  } else if (std::strcmp(option, "--self-test") == 0) {
    arguments.is_self_test = true;
    arguments.sweep.points = 1000;
  } else {
    return false;
  }
  return true;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  arguments.sweep.program = argv[0];
  arguments.sweep.seed = static_cast<std::uint64_t>(std::time(nullptr)) % 100000;
  for (int n = 1; n < argc; ++n) {
    if (parse_flag(argv[n], arguments)) continue;
    if (n + 1 >= argc || !parse_valued(argv[n], argv[n + 1], arguments)) return false;
    ++n;
  }
  if (arguments.sweep.all && arguments.sweep.first_points == SweepOptions().first_points) {
    arguments.sweep.first_points = 16;
  }
  return true;
}

// Re-executes the program once without address randomisation; goes on as it is where that is
// refused.
void fix_addresses(char** argv) {
  const int now = personality(0xffffffff);
  if (now == -1 || (now & ADDR_NO_RANDOMIZE) != 0) return;
  if (personality(static_cast<unsigned long>(now | ADDR_NO_RANDOMIZE)) == -1) return;
  execv("/proc/self/exe", argv);
}

// For the end by a signal: the children die with this process, the cell's file would stay.
char folder_to_remove[64];

void on_end(int number) {
  char cell[80];
  std::strcpy(cell, folder_to_remove);
  std::strcat(cell, "/cell");
  unlink(cell);
  remove_pipes(folder_to_remove);
  rmdir(folder_to_remove);
  signal(number, SIG_DFL);
  raise(number);
}

class Folder {
 public:
  Folder() {
    struct stat info;
    const bool has_shm =
        stat("/dev/shm", &info) == 0 && S_ISDIR(info.st_mode) && access("/dev/shm", W_OK) == 0;
    path_ = (has_shm ? "/dev/shm" : "/tmp") + std::string("/ipcell-crash-XXXXXX");
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
    std::strcpy(folder_to_remove, path_.c_str());
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) signal(number, on_end);
  }
  ~Folder() {
    if (!path_.empty()) rmdir(path_.c_str());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> scenarios;
  add_get_scenarios(scenarios);
  add_send_scenarios(scenarios);
  add_heap_scenarios(scenarios);
  add_receive_scenarios(scenarios);
  add_admission_scenarios(scenarios);
  add_control_scenarios(scenarios);
  add_fault_scenarios(scenarios);
  add_task_scenarios(scenarios);
  add_contention_scenarios(scenarios);
  add_pause_scenarios(scenarios);
  add_pause_sem_scenarios(scenarios);
  add_sem_get_scenarios(scenarios);
  add_sem_op_scenarios(scenarios);
  add_sem_block_scenarios(scenarios);
  add_sem_wake_scenarios(scenarios);
  add_sem_control_scenarios(scenarios);
  add_undo_scenarios(scenarios);
  add_undo_task_scenarios(scenarios);
  add_undo_thread_scenarios(scenarios);
  add_shm_get_scenarios(scenarios);
  add_shm_attach_scenarios(scenarios);
  add_shm_control_scenarios(scenarios);
  add_shm_remap_scenarios(scenarios);
  add_shm_fork_scenarios(scenarios);
  add_shm_inherit_scenarios(scenarios);
  add_shm_death_scenarios(scenarios);
  add_mqueue_open_scenarios(scenarios);
  add_mqueue_send_scenarios(scenarios);
  add_mqueue_receive_scenarios(scenarios);
  add_mqueue_watch_scenarios(scenarios);
  add_mqueue_death_scenarios(scenarios);
  add_recovery_scenarios(scenarios);
  add_self_test_scenarios(scenarios);
  return scenarios;
}

bool is_wanted(const Scenario& scenario, const Arguments& arguments) {
  if (arguments.is_self_test) return scenario.is_self_test;
  if (arguments.names.empty()) {
    const bool has_time = arguments.sweep.all || arguments.is_list;
    return !scenario.is_self_test && (has_time || !scenario.is_long);
  }
  for (const std::string& name : arguments.names) {
    if (name == scenario.name) return true;
  }
  return false;
}

// Each scenario gets its part of what is left of the time.
double share_of(double seconds, std::uint64_t start, std::size_t scenarios_left) {
  const double used = static_cast<double>(now_us() - start) / 1e6;
  return std::max(0.1, (seconds - used) / static_cast<double>(scenarios_left));
}

int run(const Arguments& arguments) {
  std::vector<Scenario> scenarios = all_scenarios();
  std::erase_if(scenarios,
                [&](const Scenario& scenario) { return !is_wanted(scenario, arguments); });
  if (arguments.is_list) {
    for (const Scenario& scenario : scenarios) std::printf("%s\n", scenario.name.c_str());
    return 0;
  }
  if (scenarios.empty()) {
    std::fprintf(stderr, "crash_step: there is no such scenario; --list names them\n");
    return 2;
  }
  if (arguments.is_single)
    return repeat(scenarios.front(), arguments.sweep, arguments.plan) ? 0 : 1;
  std::printf("seed %lu\n", static_cast<unsigned long>(arguments.sweep.seed));
  SweepTotals totals;
  const std::uint64_t start = now_us();
  bool has_missed = false;
  for (const Scenario& scenario : scenarios) {
    const long before = totals.violations;
    SweepOptions options = arguments.sweep;
    const std::size_t left = scenarios.size() - static_cast<std::size_t>(totals.scenarios);
    if (!options.all) options.seconds = share_of(arguments.seconds, start, left);
    sweep(scenario, options, &totals);
    has_missed = has_missed || totals.violations == before;
  }
  std::printf("%ld scenarios, %ld points, %ld covered, %ld violations\n", totals.scenarios,
              totals.points, totals.covered, totals.violations);
  if (arguments.is_self_test) return has_missed ? 1 : 0;
  return totals.violations == 0 ? 0 : 1;
}

}  // namespace

}  // namespace crash

int main(int argc, char** argv) {
  crash::fix_addresses(argv);
  crash::Arguments arguments;
  if (!crash::parse(argc, argv, arguments)) {
    std::fputs(crash::kUsage, stderr);
    return 2;
  }
  if (!arguments.is_list && !crash::can_trace()) {
    std::puts("crash_step: this machine does not let a process trace another: skipped");
    return crash::kSkip;
  }
  const crash::Folder folder;
  if (folder.path().empty()) {
    std::perror("crash_step: no folder for the cells");
    return 1;
  }
  arguments.sweep.folder = folder.path();
  return crash::run(arguments);
}
