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

struct Row {
  std::string name;
  Question question;
  std::optional<double> limit;
  Variant base;
  Variant subject;
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

std::vector<Row> msg_rows();
std::vector<Row> msg_process_rows();
std::vector<Row> sem_rows();
std::vector<Row> sem_process_rows();
std::vector<Row> exec_rows();

}  // namespace ipcell::bench
