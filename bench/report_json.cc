// The outcomes for programs.
#include <nlohmann/json.hpp>

#include "report.h"

namespace ipcell::bench {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json repetitions_of(const Series& series) {
  Json times = Json::array();
  for (const auto& [repetition, time] : series.by_repetition) times.push_back(time);
  return times;
}

Json series_json(const Variant& variant, const Series& series) {
  return {{"variant", variant.label},
          {"median", or_null(series.median)},
          {"cv", or_null(series.cv)},
          {"repetitions", repetitions_of(series)}};
}

Json ratio_json(const std::optional<Ratio>& ratio) {
  if (!ratio) return nullptr;
  return {{"of_medians", ratio->middle}, {"min", ratio->min}, {"max", ratio->max}};
}

const char* verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds: return "holds";
    case Verdict::kBroken: return "broken";
    case Verdict::kNoLimit: return "no limit";
    case Verdict::kNotMeasured: break;
  }
  return "not measured";
}

Json outcome_json(const Outcome& outcome) {
  const Row& row = *outcome.row;
  const bool is_faster = row.question == Question::kTimesFaster;
  return {{"name", row.name},
          {"unit", "ns"},
          {"ratio_is", is_faster ? row.base.label + " / " + row.subject.label
                                 : row.subject.label + " / " + row.base.label},
          {"base", series_json(row.base, outcome.base)},
          {"subject", series_json(row.subject, outcome.subject)},
          {"ratio", ratio_json(outcome.ratio)},
          {is_faster ? "floor" : "ceiling", or_null(row.limit)},
          {"verdict", verdict_text(outcome.verdict)},
          {"error", outcome.error()}};
}

}  // namespace

void write_json(std::ostream& out, const std::map<std::string, std::string>& context,
                const std::vector<Outcome>& outcomes) {
  Json rows = Json::array();
  for (const Outcome& outcome : outcomes) rows.push_back(outcome_json(outcome));
  out << Json{{"context", context}, {"rows", std::move(rows)}}.dump(2) << '\n';
}

}  // namespace ipcell::bench
