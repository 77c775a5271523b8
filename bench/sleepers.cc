// ipcell-bench --sleepers: what it costs to wait.
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "cpus.h"
#include "peers.h"
#include "sem_set.h"
#include "waits.h"

namespace ipcell::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSleepers = 100;
constexpr seconds kTime{10};
constexpr seconds kSettling{1};

// What a process has used so far.
struct Usage {
  double cpu_ms;
  long switches;  // How often it went to sleep by itself.
};

double cpu_ms_of(pid_t pid) {
  clockid_t clock = 0;
  timespec time = {};
  check(-clock_getcpuclockid(pid, &clock), "clock_getcpuclockid");
  check(clock_gettime(clock, &time) == 0 ? 0 : -errno, "clock_gettime");
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

long switches_of(pid_t pid) {
  constexpr std::string_view kField = "voluntary_ctxt_switches:";
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kField)) return std::stol(line.substr(kField.size()));
  }
  throw std::runtime_error("no voluntary_ctxt_switches in /proc");
}

Usage usage_of(const std::vector<pid_t>& pids) {
  Usage usage = {};
  for (const pid_t pid : pids) {
    usage.cpu_ms += cpu_ms_of(pid);
    usage.switches += switches_of(pid);
  }
  return usage;
}

// Holds the semaphore, to be undone at its death, until the set is removed.
template <class Api>
int hold(int set) {
  long result = add<Api>(set, 0, -1, SEM_UNDO);
  if (result >= 0) result = add<Api>(set, 1, -1);
  return status_of_end(result);
}

template <class Api>
int sleep_for_it(int set) {
  return status_of_end(add<Api>(set, 0, -1));
}

template <class Api>
void await_sleepers(int set, int number, int count) {
  for (int patience = 1000; check(Api::semctl(set, number, GETNCNT, {}), "GETNCNT") != count;) {
    if (--patience == 0) throw std::runtime_error("the processes do not go to sleep");
    std::this_thread::sleep_for(milliseconds(10));
  }
}

// All sleep for one semaphore of value 0, which nobody holds, or which one process holds with
// SEM_UNDO.
template <class Api>
Usage usage_of_sleepers(bool has_holder) {
  SemSet<Api> set(2, 0);
  Peers peers;
  const cpu_set_t cpus = anywhere_on_two().theirs;
  if (has_holder) {
    check(add<Api>(set.id(), 0, +1), "semop(+1)");
    peers.add(cpus, [&] { return hold<Api>(set.id()); });
    await_sleepers<Api>(set.id(), 1, 1);
  }
  std::vector<pid_t> pids;
  while (pids.size() < kSleepers)
    pids.push_back(peers.add(cpus, [&] { return sleep_for_it<Api>(set.id()); }));
  await_sleepers<Api>(set.id(), 0, kSleepers);
  std::this_thread::sleep_for(kSettling);  // A sleeper may look around before it falls asleep.
  const Usage before = usage_of(pids);
  std::this_thread::sleep_for(kTime);
  const Usage after = usage_of(pids);
  set.remove();
  peers.finish();
  return {after.cpu_ms - before.cpu_ms, after.switches - before.switches};
}

template <class Api>
void print_side(std::ostream& out, const char* side) {
  for (const bool has_holder : {false, true}) {
    const Usage usage = usage_of_sleepers<Api>(has_holder);
    const double share = usage.cpu_ms / 10.0 / static_cast<double>(kTime.count());
    const double wakeups = static_cast<double>(usage.switches) / kSleepers / kTime.count();
    char line[128];
    std::snprintf(line, sizeof line, "%-8s %-24s %12.2f %15.4f %18.2f\n", side,
                  has_holder ? "a process, SEM_UNDO" : "nobody", usage.cpu_ms, share, wakeups);
    out << line << std::flush;
  }
}

}  // namespace

void measure_sleepers(std::ostream& out, bool has_cell) {
  char head[192];
  std::snprintf(head, sizeof head,
                "CPU time of %d processes, all of them together, asleep in semop for %d s\n"
                "%-8s %-24s %12s %15s %18s\n",
                kSleepers, static_cast<int>(kTime.count()), "side", "the semaphore's holder",
                "CPU ms", "% of one CPU", "wake-ups/s of each");
  out << head;
  print_side<Kernel>(out, "kernel");
  if (has_cell) print_side<Cell>(out, "cell");
  out << '\n';
}

}  // namespace ipcell::bench
