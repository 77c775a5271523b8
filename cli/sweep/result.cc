#include "cli/sweep/result.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <fmt/format.h>

namespace ipcell::cli {

namespace {

constexpr int kNothingBad = 0, kFindings = 1, kNotDone = 2;

std::vector<std::size_t> select(const SweepResult& result, bool is_wanted(const Verdict&)) {
  std::vector<std::size_t> trials;
  for (const Class what : kAllClasses) {
    for (std::size_t n = 0; n < result.results.size(); ++n) {
      if (!result.results[n]) continue;
      const Verdict& verdict = result.results[n]->verdict;
      if (verdict.what == what && is_wanted(verdict)) trials.push_back(n);
    }
  }
  return trials;
}

// As $'...', which bash, zsh and ksh know.
std::string quote_bytes(const std::string& word) {
  std::string result = "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      result += "\\n";
    } else if (byte < ' ' || byte >= 0x7f) {
      result += fmt::format("\\{:03o}", byte);
    } else {
      if (c == '\'' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result + "'";
}

// Bytes of the UTF-8 character at `n`; 0 if there is none.
std::size_t character_at(const std::string& text, std::size_t n) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  std::size_t length = 0;
  if (byte(n) < 0x80) length = 1;
  if (byte(n) >= 0xc2 && byte(n) < 0xe0) length = 2;
  if (byte(n) >= 0xe0 && byte(n) < 0xf0) length = 3;
  if (byte(n) >= 0xf0 && byte(n) < 0xf5) length = 4;
  if (n + length > text.size()) return 0;
  for (std::size_t k = n + 1; k < n + length; ++k) {
    if ((byte(k) & 0xc0) != 0x80) return 0;
  }
  // Too long a form, surrogates, and what is beyond the last character.
  if (length == 3 && byte(n) == 0xe0 && byte(n + 1) < 0xa0) return 0;
  if (length == 3 && byte(n) == 0xed && byte(n + 1) >= 0xa0) return 0;
  if (length == 4 && byte(n) == 0xf0 && byte(n + 1) < 0x90) return 0;
  if (length == 4 && byte(n) == 0xf4 && byte(n + 1) >= 0x90) return 0;
  return length;
}

}  // namespace

std::size_t SweepResult::count(Class what) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [what](const std::optional<TrialResult>& r) {
        return r && r->verdict.what == what;
      }));
}

std::size_t SweepResult::tried() const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(),
                    [](const std::optional<TrialResult>& r) { return r.has_value(); }));
}

std::vector<std::size_t> SweepResult::findings() const {
  return select(*this, [](const Verdict& verdict) { return verdict.is_finding(); });
}

std::vector<std::size_t> SweepResult::expected() const {
  return select(*this, [](const Verdict& verdict) { return verdict.is_expected; });
}

std::string clean_text(const std::string& text) {
  std::string result;
  for (std::size_t n = 0; n < text.size();) {
    const std::size_t length = character_at(text, n);
    const auto byte = static_cast<unsigned char>(text[n]);
    const bool is_control = (byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f;
    const bool is_clean = length != 0 && !is_control;
    result += is_clean ? text.substr(n, length) : "?";
    n += is_clean ? length : 1;
  }
  return result;
}

std::string describe(const Trial& trial) {
  const char* span = "";
  if (trial.group != EffectGroup::Kill) {
    if (!trial.lasts) {
      span = ", once";
    } else {
      span = trial.rule.find("..") != std::string::npos ? ", 20 times" : ", from then on";
    }
  }
  return trial.effect + span;
}

std::string quote(const std::string& word) {
  const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::strchr("_./-+=:,%@", c) != nullptr;
  });
  if (is_plain) return word;
  // Line ends and what is no text stay on the line, as shells other than the plainest have it.
  const bool is_strange =
      clean_text(word) != word || word.find_first_of("\n\t") != std::string::npos;
  if (is_strange) return quote_bytes(word);
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string command_line(const std::vector<std::string>& command) {
  std::vector<std::string> words;
  for (const std::string& word : command) words.push_back(quote(word));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string repeat_command(const SweepResult& result, std::size_t trial) {
  const SweepOptions& options = result.options;
  std::string way;
  if (result.denies) way += " --deny";
  if (options.posix) way += " --posix";
  for (const std::string& limit : options.limits) way += " --limit " + quote(limit);
  std::string fault =
      fmt::format(" --seed {} --fault {}", options.seed, quote(result.plan[trial].rule));
  if (options.allows_illegal) fault = " --allow-illegal" + fault;
  const std::string command = command_line(options.command);
  const bool needs_restart = result.results[trial] && result.results[trial]->verdict.is_of_restart;
  if (!needs_restart) return fmt::format("ipcell run{}{} -- {}", way, fault, command);
  return fmt::format(
      "ipcell run --name again{}{} -- {}; ipcell run --name again{} -- {}; ipcell rm again", way,
      fault, command, way, command);
}

std::string describe(const Baseline& baseline, bool ignores_output) {
  std::string text = fmt::format("undisturbed ({} run{}): {}, {:.2f} s, ", baseline.runs,
                                 baseline.runs == 1 ? "" : "s", describe_status(baseline.status),
                                 baseline.seconds);
  if (ignores_output) {
    text += "output not compared";
  } else if (baseline.out_likeness == Likeness::None) {
    text += "output not compared, since it differs";
  } else {
    text += fmt::format("output compared {}", describe(baseline.out_likeness));
  }
  if (!is_none(baseline.left)) text += fmt::format("; leaves {}", describe(baseline.left));
  if (baseline.has_survivors) text += "; leaves processes";
  if (baseline.is_restart_known && !baseline.can_restart) {
    text += "; a second start in the same cell differs, so starts after a kill are not judged";
  }
  return text;
}

std::vector<std::string> shortcomings(const SweepResult& result) {
  std::vector<std::string> list;
  const std::size_t missing = result.plan.size() - result.tried();
  if (missing != 0) {
    list.push_back(fmt::format("{} of {} faults were not tried: {}", missing, result.plan.size(),
                               result.was_interrupted ? "the sweep was interrupted"
                                                      : "the budget was used up"));
  }
  if (result.baseline.lost_sites != 0) {
    list.push_back(fmt::format("{} calls found no room in the record of calls and were not tried",
                               result.baseline.lost_sites));
  }
  const auto unsteady = static_cast<std::size_t>(
      std::count_if(result.baseline.sites.begin(), result.baseline.sites.end(),
                    [&](const SweepSite& site) { return site.runs < result.baseline.runs; }));
  if (unsteady != 0) {
    list.push_back(fmt::format("{} of {} sites were not reached in each undisturbed run", unsteady,
                               result.baseline.sites.size()));
  }
  return list;
}

int exit_status(const SweepResult& result) {
  if (result.count(Class::Broken) != 0) return kNotDone;
  if (!result.findings().empty()) return kFindings;
  return result.was_interrupted ? kNotDone : kNothingBad;
}

}  // namespace ipcell::cli
