// The outcomes for people.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "report.h"

namespace ipcell::bench {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

std::string line(const std::string& name, const std::string& base, const std::string& subject,
                 const std::string& ratio, const std::string& spread, const std::string& limit) {
  return text("%-36s %12s %12s %8s  %-16s %8s", name.c_str(), base.c_str(), subject.c_str(),
              ratio.c_str(), spread.c_str(), limit.c_str());
}

std::string time_text(const Series& series) {
  return series.median ? text("%.1f", *series.median) : "-";
}

std::string ratio_text(const std::optional<Ratio>& ratio) {
  return ratio ? text("%.2f", ratio->middle) : "-";
}

std::string spread_text(const std::optional<Ratio>& ratio) {
  return ratio ? text("%.2f..%.2f", ratio->min, ratio->max) : "-";
}

std::string limit_text(const Row& row) {
  const char* const sign = row.question == Question::kTimesFaster ? ">=" : "<=";
  return row.limit ? text("%s %.2f", sign, *row.limit) : "";
}

std::string mark(const Outcome& outcome) {
  if (!outcome.error().empty()) return "  FAILED: " + outcome.error();
  if (outcome.verdict != Verdict::kBroken) return "";
  return outcome.row->question == Question::kTimesFaster ? "  UNDER THE FLOOR"
                                                         : "  OVER THE CEILING";
}

void print_rows(std::ostream& out, const std::vector<Outcome>& outcomes, Question question) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.row->question != question) continue;
    out << line(outcome.row->name, time_text(outcome.base), time_text(outcome.subject),
                ratio_text(outcome.ratio), spread_text(outcome.ratio), limit_text(*outcome.row))
        << mark(outcome) << '\n';
  }
}

bool has_any(const std::vector<Outcome>& outcomes, Question question) {
  return std::any_of(outcomes.begin(), outcomes.end(), [question](const Outcome& outcome) {
    return outcome.row->question == question;
  });
}

}  // namespace

void print_tables(std::ostream& out, const std::vector<Outcome>& outcomes) {
  if (has_any(outcomes, Question::kTimesFaster)) {
    out << "Times faster than the kernel (ns an operation, medians; ratio = kernel / cell)\n"
        << line("row", "kernel", "cell", "ratio", "min..max", "floor") << '\n';
    print_rows(out, outcomes, Question::kTimesFaster);
  }
  if (has_any(outcomes, Question::kCost)) {
    out << "\nCosts (ns an operation, medians; ratio = with / without)\n"
        << line("row", "without", "with", "ratio", "min..max", "ceiling") << '\n';
    print_rows(out, outcomes, Question::kCost);
  }
}

}  // namespace ipcell::bench
