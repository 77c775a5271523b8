// From Google Benchmark's runs to ratios.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "row.h"

namespace ipcell::bench {

// One variant's measurements, in nanoseconds per operation.
struct Series {
  std::map<std::int64_t, double> by_repetition;
  std::optional<double> median;
  std::optional<double> cv;  // Standard deviation / mean.
  std::string error;
};

struct Ratio {
  double middle;  // Of the medians; in turns, the median of the turns'.
  double min;     // The smallest and the largest of the repetitions' own ratios.
  double max;
};

enum class Verdict { kHolds, kBroken, kNoLimit, kNotMeasured };

struct Outcome {
  const Row* row;
  Series base;
  Series subject;
  std::optional<Ratio> ratio;
  Verdict verdict;

  const std::string& error() const { return base.error.empty() ? subject.error : base.error; }
};

// Collects the runs of rows that were registered as "<row>/<variant>", and those made in turns.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  // Of a row that was measured in turns; or why it was not.
  void add_turns(const Row& row, const std::vector<Turn>& turns);
  void add_error(const Row& row, const std::string& error);

  std::vector<Outcome> outcomes(const std::vector<Row>& rows) const;

 private:
  std::map<std::string, Series> series_;
};

std::string variant_name(const Row& row, const Variant& variant);

void print_tables(std::ostream& out, const std::vector<Outcome>& outcomes);

// `context` is put in front as it is.
void write_json(std::ostream& out, const std::map<std::string, std::string>& context,
                const std::vector<Outcome>& outcomes);

}  // namespace ipcell::bench
