// ipcell-bench: pairs each row with the kernel in one run and prints the ratios. See README.md.
//
// Exit status: 0; 1 if a row failed, or under --check broke its limit; 2 if there was nothing to
// measure.
#include <benchmark/benchmark.h>

#include <sys/utsname.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "objects.h"
#include "options.h"
#include "report.h"
#include "row.h"
#include "surroundings.h"
#include "waits.h"

#ifndef IPCELL_BENCH_BUILD
#define IPCELL_BENCH_BUILD "unknown"
#endif

namespace ipcell::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kNothingMeasured = 2;

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (auto family : {msg_rows, msg_process_rows, mq_rows, mq_process_rows, sem_rows,
                      sem_process_rows, shm_rows, shm_memory_rows, exec_rows, file_rows}) {
    std::vector<Row> more = family();
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
  return rows;
}

std::vector<Row> chosen_rows(const Options& options) {
  std::vector<Row> rows = all_rows();
  std::erase_if(rows, [&options](const Row& row) {
    return !std::regex_search(row.name, options.filter) ||
           (options.is_kernel_only && row.base.needs_cell);
  });
  return rows;
}

void register_variant(const Row& row, const Variant& variant) {
  const auto run = [&variant](benchmark::State& state) {
    try {
      variant.run(state);
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  };
  benchmark::RegisterBenchmark(variant_name(row, variant).c_str(), run)
      ->UseRealTime()
      ->Unit(benchmark::kNanosecond);
}

// The rows must stay where they are until the benchmarks have run.
void register_rows(const std::vector<Row>& rows, const Options& options) {
  for (const Row& row : rows) {
    if (row.in_turns) continue;
    register_variant(row, row.base);
    if (!options.is_kernel_only) register_variant(row, row.subject);
  }
}

void measure_in_turns(Collector& collector, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (!row.in_turns) continue;
    try {
      collector.add_turns(row, row.in_turns());
    } catch (const std::exception& error) {
      collector.add_error(row, error.what());
    }
  }
}

bool wants_list(const Options& options) {
  return std::any_of(options.passed.begin(), options.passed.end(), [](const std::string& word) {
    return word.starts_with("--benchmark_list_tests");
  });
}

bool is_timed_by_library(const Row& row) { return !row.in_turns; }

// Our defaults come first, so that the command line overrides them.
void initialize_benchmark(const std::string& program, const Options& options) {
  static std::vector<std::string> words;
  words = {program, "--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=11",
           "--benchmark_min_time=0.1"};
  words.insert(words.end(), options.passed.begin(), options.passed.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  benchmark::Initialize(&argc, argv.data());
  if (argc > 1) throw std::runtime_error(std::string("unknown argument ") + argv[1]);
}

const char* namespace_text(const Surroundings& surroundings) {
  return surroundings.is_namespace_fresh ? "fresh" : "the caller's";
}

std::map<std::string, std::string> context(const Surroundings& surroundings) {
  utsname host = {};
  uname(&host);
  const benchmark::CPUInfo& cpu = benchmark::CPUInfo::Get();
  return {{"kernel", std::string(host.sysname) + " " + host.release + " " + host.machine},
          {"kernel_ipc_namespace", namespace_text(surroundings)},
          {"cpus", std::to_string(cpu.num_cpus)},
          {"cpu_mhz", std::to_string(static_cast<long>(cpu.cycles_per_second / 1e6))},
          {"build", IPCELL_BENCH_BUILD},
          {"inside_a_cell", surroundings.has_cell ? "yes" : "no"}};
}

// Whether there is what the command line wants to compare; says why not.
bool can_measure(const Surroundings& surroundings, const Options& options) {
  if (!surroundings.has_kernel || (!surroundings.has_cell && !options.is_kernel_only)) {
    std::cerr << "ipcell-bench: " << surroundings.problem << '\n';
    if (surroundings.has_kernel)
      std::cerr << "ipcell-bench: --kernel-only gives the kernel's absolute figures\n";
    return false;
  }
  std::cerr << "Build: " << IPCELL_BENCH_BUILD
            << ". Kernel IPC namespace: " << namespace_text(surroundings) << ".\n";
#ifndef __OPTIMIZE__
  std::cerr << "***WARNING*** Built without optimization: the ratios say little.\n";
#endif
  return true;
}

int exit_status(const std::vector<Outcome>& outcomes, const Options& options) {
  const auto is_bad = [&options](const Outcome& outcome) {
    const bool falls_short =
        outcome.verdict == Verdict::kBroken || outcome.verdict == Verdict::kNotMeasured;
    return !outcome.error().empty() || (options.is_check && falls_short);
  };
  return std::any_of(outcomes.begin(), outcomes.end(), is_bad) ? kFailed : 0;
}

std::ofstream open_json(const std::string& path) {
  std::ofstream file;
  if (!path.empty()) file.open(path);
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

int measure(const Options& options, const Surroundings& surroundings) {
  const std::vector<Row> rows = chosen_rows(options);
  if (rows.empty()) throw std::runtime_error("no row matches");
  std::ofstream json = open_json(options.json_path);
  register_rows(rows, options);
  Collector collector;
  if (std::any_of(rows.begin(), rows.end(), is_timed_by_library))
    benchmark::RunSpecifiedBenchmarks(&collector);
  if (wants_list(options)) return 0;
  measure_in_turns(collector, rows);
  const std::vector<Outcome> outcomes = collector.outcomes(rows);
  print_tables(std::cout, outcomes);
  if (json.is_open()) write_json(json, context(surroundings), outcomes);
  return exit_status(outcomes, options);
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.wants_help) {
    std::cout << kUsage;
    return 0;
  }
  initialize_benchmark(argv[0], options);
  remove_objects_on_signals();
  const Surroundings surroundings = settle();
  if (!can_measure(surroundings, options)) return kNothingMeasured;
  if (!options.wants_sleepers && !options.wants_deaths) return measure(options, surroundings);
  if (options.wants_sleepers) measure_sleepers(std::cout, !options.is_kernel_only);
  if (options.wants_deaths) measure_deaths(std::cout, !options.is_kernel_only);
  return 0;
}

}  // namespace
}  // namespace ipcell::bench

int main(int argc, char** argv) {
  try {
    return ipcell::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "ipcell-bench: " << error.what() << '\n';
    return ipcell::bench::kNothingMeasured;
  }
}
