#include "report.h"

#include <algorithm>
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

std::optional<Ratio> compare(Question question, const Series& base, const Series& subject) {
  const bool has_failed = !base.error.empty() || !subject.error.empty();
  if (has_failed || !base.median || !subject.median) return std::nullopt;
  const double middle = ratio_of(question, *base.median, *subject.median);
  Ratio ratio = {middle, middle, middle};
  for (const auto& [repetition, time] : base.by_repetition) {
    const auto other = subject.by_repetition.find(repetition);
    if (other == subject.by_repetition.end()) continue;
    const double own = ratio_of(question, time, other->second);
    ratio.min = std::min(ratio.min, own);
    ratio.max = std::max(ratio.max, own);
  }
  return ratio;
}

Verdict judge(const Row& row, const std::optional<Ratio>& ratio) {
  if (!ratio) return Verdict::kNotMeasured;
  if (!row.limit) return Verdict::kNoLimit;
  const bool holds = row.question == Question::kTimesFaster ? ratio->of_medians >= *row.limit
                                                            : ratio->of_medians <= *row.limit;
  return holds ? Verdict::kHolds : Verdict::kBroken;
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

std::vector<Outcome> Collector::outcomes(const std::vector<Row>& rows) const {
  const auto find = [this](const std::string& name) {
    const auto found = series_.find(name);
    return found == series_.end() ? Series{} : found->second;
  };
  std::vector<Outcome> outcomes;
  for (const Row& row : rows) {
    Series base = find(variant_name(row, row.base));
    Series subject = find(variant_name(row, row.subject));
    const std::optional<Ratio> ratio = compare(row.question, base, subject);
    outcomes.push_back({&row, std::move(base), std::move(subject), ratio, judge(row, ratio)});
  }
  return outcomes;
}

}  // namespace ipcell::bench
