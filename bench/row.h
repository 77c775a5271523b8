// A row of the benchmark table: two variants of one operation, timed in one run, and the ratio that
// must hold.
//
// A family of rows is one file with one `std::vector<Row> ..._rows()`, declared at the end of this
// header and listed in main.cc. A variant reports failure by throwing; it must leave no process and
// no object behind then.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api.h"

namespace benchmark {
class State;
}

namespace ipcell::bench {

struct Variant {
  std::string label;  // The last part of its name in Google Benchmark.
  bool needs_cell;
  std::function<void(benchmark::State&)> run;
};

enum class Question {
  kTimesFaster,  // ratio = base / subject; `limit` is a floor.
  kCost,         // ratio = subject / base; `limit` is a ceiling.
};

// Nanoseconds an operation, of the base and the subject right after each other.
struct Turn {
  double base;
  double subject;
};

struct Row {
  std::string name;
  Question question;
  std::optional<double> limit;
  Variant base;
  Variant subject;
  // If set, this measures, not the variants' `run`: both in turns, where a ratio near 1 must be
  // told from what else goes on in the machine meanwhile.
  std::function<std::vector<Turn>()> in_turns = {};
};

// The usual row. `body(state, api)` runs once with the kernel's calls and once with the cell's.
template <class Body>
Row versus_kernel(std::string name, std::optional<double> floor, Body body) {
  return {std::move(name),
          Question::kTimesFaster,
          floor,
          {"kernel", false, [body](benchmark::State& state) { body(state, Kernel{}); }},
          {"cell", true, [body](benchmark::State& state) { body(state, Cell{}); }}};
}

// One that both sides of are measured in turns.
inline Row versus_kernel_in_turns(std::string name, double floor,
                                  std::function<std::vector<Turn>()> in_turns) {
  return {std::move(name),      Question::kTimesFaster, floor,
          {"kernel", true, {}}, {"cell", true, {}},     std::move(in_turns)};
}

std::vector<Row> msg_rows();
std::vector<Row> msg_process_rows();
std::vector<Row> mq_rows();
std::vector<Row> mq_process_rows();
std::vector<Row> sem_rows();
std::vector<Row> sem_process_rows();
std::vector<Row> shm_rows();
std::vector<Row> shm_memory_rows();
std::vector<Row> exec_rows();
std::vector<Row> file_rows();

}  // namespace ipcell::bench
