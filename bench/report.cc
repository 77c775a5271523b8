#include "report.h"

#include <algorithm>
#include <cstddef>
#include <iostream>

namespace ipcell::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

// Google Benchmark 1.8 renamed the fields of a failed run.
template <class R>
std::string error_of(const R& run) {
  if constexpr (requires { run.error_occurred; })
    return run.error_occurred ? run.error_message : "";
  else
    return static_cast<bool>(run.skipped) ? run.skip_message : "";
}

void add_run(Series& series, const Run& run) {
  const double value = run.GetAdjustedRealTime();
  if (std::string error = error_of(run); !error.empty())
    series.error = std::move(error);
  else if (run.run_type == Run::RT_Iteration)
    series.by_repetition[run.repetition_index] = value;
  else if (run.aggregate_name == "median")
    series.median = value;
  else if (run.aggregate_name == "cv")
    series.cv = run.real_accumulated_time;
}

double ratio_of(Question question, double base, double subject) {
  return question == Question::kTimesFaster ? base / subject : subject / base;
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::optional<Ratio> compare(const Row& row, const Series& base, const Series& subject) {
  const bool has_failed = !base.error.empty() || !subject.error.empty();
  if (has_failed || !base.median || !subject.median) return std::nullopt;
  const double of_medians = ratio_of(row.question, *base.median, *subject.median);
  std::vector<double> own;
  for (const auto& [repetition, time] : base.by_repetition) {
    const auto other = subject.by_repetition.find(repetition);
    if (other != subject.by_repetition.end())
      own.push_back(ratio_of(row.question, time, other->second));
  }
  // Of two that were measured at the same moment, the moment is no part of the ratio.
  const double middle = row.in_turns && !own.empty() ? median_of(own) : of_medians;
  Ratio ratio = {middle, middle, middle};
  for (const double one : own) {
    ratio.min = std::min(ratio.min, one);
    ratio.max = std::max(ratio.max, one);
  }
  return ratio;
}

Verdict judge(const Row& row, const std::optional<Ratio>& ratio) {
  if (!ratio) return Verdict::kNotMeasured;
  if (!row.limit) return Verdict::kNoLimit;
  const bool holds = row.question == Question::kTimesFaster ? ratio->middle >= *row.limit
                                                            : ratio->middle <= *row.limit;
  return holds ? Verdict::kHolds : Verdict::kBroken;
}

Series series_of(const std::vector<double>& times) {
  Series series;
  for (std::size_t n = 0; n < times.size(); ++n)
    series.by_repetition[static_cast<std::int64_t>(n)] = times[n];
  if (!times.empty()) series.median = median_of(times);
  return series;
}

}  // namespace

std::string variant_name(const Row& row, const Variant& variant) {
  return row.name + "/" + variant.label;
}

bool Collector::ReportContext(const Context& context) {
  PrintBasicContext(&std::cerr, context);
  return true;
}

void Collector::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) add_run(series_[run.run_name.function_name], run);
  // Aggregates exist from two repetitions on.
  for (const Run& run : runs) {
    Series& series = series_[run.run_name.function_name];
    if (!series.median && !series.by_repetition.empty())
      series.median = series.by_repetition.begin()->second;
  }
}

void Collector::add_turns(const Row& row, const std::vector<Turn>& turns) {
  std::vector<double> base, subject;
  for (const Turn& turn : turns) {
    base.push_back(turn.base);
    subject.push_back(turn.subject);
  }
  series_[variant_name(row, row.base)] = series_of(base);
  series_[variant_name(row, row.subject)] = series_of(subject);
}

void Collector::add_error(const Row& row, const std::string& error) {
  series_[variant_name(row, row.base)].error = error;
}

std::vector<Outcome> Collector::outcomes(const std::vector<Row>& rows) const {
  const auto find = [this](const std::string& name) {
    const auto found = series_.find(name);
    return found == series_.end() ? Series{} : found->second;
  };
  std::vector<Outcome> outcomes;
  for (const Row& row : rows) {
    Series base = find(variant_name(row, row.base));
    Series subject = find(variant_name(row, row.subject));
    const std::optional<Ratio> ratio = compare(row, base, subject);
    outcomes.push_back({&row, std::move(base), std::move(subject), ratio, judge(row, ratio)});
  }
  return outcomes;
}

}  // namespace ipcell::bench
