#include "cli/sweep/report.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace ipcell::cli {

namespace {

using Json = nlohmann::ordered_json;
using Writer = std::string (*)(const SweepResult&);

Writer writer_for(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  const std::string kind = dot == std::string::npos ? "" : path.substr(dot);
  if (kind == ".json") return json_of;
  if (kind == ".xml") return junit_of;
  if (kind == ".html" || kind == ".htm") return html_of;
  throw Failure(
      fmt::format("--report {}: a report's name ends in .json, .xml (JUnit's) or .html", path));
}

std::string time_text(std::time_t time) {
  std::tm parts;
  char text[32];
  gmtime_r(&time, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Json json_of_trial(const SweepResult& result, std::size_t n) {
  const Trial& trial = result.plan[n];
  Json json = {{"site", trial.site},     {"at", result.site_of(n).describe()},
               {"effect", trial.effect}, {"group", name_of(trial.group)},
               {"lasts", trial.lasts},   {"rule", trial.rule}};
  if (!result.results[n]) {
    json["class"] = "not tried";
    return json;
  }
  const TrialResult& tried = *result.results[n];
  const Verdict& verdict = tried.verdict;
  json["class"] = name_of(verdict.what);
  json["finding"] = verdict.is_finding();
  json["expected"] = verdict.is_expected;
  json["detail"] = verdict.detail;
  json["waits"] = verdict.waits;
  json["message"] = verdict.message;
  json["seconds"] = tried.seconds;
  json["runs"] = tried.runs;
  json["repeat"] = repeat_command(result, n);
  return json;
}

Json json_of_site(const SweepSite& site) {
  Json json = {{"at", site.describe()},   {"call", site.call()},
               {"caller", site.caller},   {"offset", static_cast<std::uint64_t>(site.offset)},
               {"function", site.place},  {"program", site.program},
               {"process", site.process}, {"count", static_cast<std::uint64_t>(site.count)},
               {"runs", site.runs},       {"blocked", site.has(kSiteBlocked)}};
  if (site.number != 0) json["number"] = static_cast<std::uint64_t>(site.number);
  return json;
}

// Pids differ from run to run, and keep what is alike from being told together.
std::string without_numbers(const std::vector<std::string>& lines) {
  return normal_form(fmt::format("{}", fmt::join(lines, "\n")), Likeness::AnyNumbers);
}

// Findings of one site that came out alike are told together, each with its command.
std::string findings_of(const SweepResult& result) {
  std::string text;
  std::vector<std::size_t> rest = result.findings();
  while (!rest.empty()) {
    const std::size_t first = rest.front();
    const Verdict& verdict = result.results[first]->verdict;
    const auto is_alike = [&](std::size_t n) {
      const Verdict& other = result.results[n]->verdict;
      return result.plan[n].site == result.plan[first].site && other.what == verdict.what &&
             other.detail == verdict.detail &&
             without_numbers(other.waits) == without_numbers(verdict.waits);
    };
    text += fmt::format("\n{}: {}\n    {}\n", name_of(verdict.what),
                        result.site_of(first).describe(), clean_text(verdict.detail));
    for (const std::string& line : verdict.waits) text += fmt::format("    {}\n", clean_text(line));
    std::vector<std::size_t> others;
    for (const std::size_t n : rest) {
      if (!is_alike(n)) {
        others.push_back(n);
        continue;
      }
      text += fmt::format("  {}\n    {}\n", describe(result.plan[n]), repeat_command(result, n));
    }
    rest = std::move(others);
  }
  return text;
}

}  // namespace

std::string table_of(const SweepResult& result) {
  std::string text = findings_of(result);
  text += fmt::format("\n{}\n{} sites, {} faults tried in {:.1f} s",
                      describe(result.baseline, result.options.ignores_output),
                      result.baseline.sites.size(), result.tried(), result.seconds);
  if (result.resumed != 0) text += fmt::format(" ({} of them in an earlier sweep)", result.resumed);
  text += "\n";
  const std::size_t expected_leaks = result.expected().size();
  for (const Class what : kAllClasses) {
    const std::size_t count = result.count(what);
    if (count == 0) continue;
    text += fmt::format("  {:<12} {:>5}", name_of(what), count);
    if (what == Class::Leak && expected_leaks != 0) {
      text += fmt::format("  ({} expected: killed by SIGKILL, or the removal itself failed)",
                          expected_leaks);
    }
    text += "\n";
  }
  for (const std::string& line : shortcomings(result)) text += line + "\n";
  const std::size_t findings = result.findings().size();
  text += findings == 0 ? "nothing bad was found\n"
                        : fmt::format("{} finding{}\n", findings, findings == 1 ? "" : "s");
  return text;
}

std::string json_of(const SweepResult& result) {
  const SweepOptions& options = result.options;
  Json json = {{"ipcell", IPCELL_VERSION},
               {"command", options.command},
               {"started", time_text(result.started)},
               {"seconds", result.seconds},
               {"seed", static_cast<std::uint64_t>(options.seed)},
               {"by", options.by_call ? "call" : "site"},
               {"check", options.check},
               {"status", exit_status(result)},
               {"complete", result.tried() == result.plan.size()},
               {"interrupted", result.was_interrupted},
               {"shortcomings", shortcomings(result)}};
  json["undisturbed"] = {{"runs", result.baseline.runs},
                         {"ended", describe_status(result.baseline.status)},
                         {"seconds", result.baseline.seconds},
                         {"timeout", result.baseline.timeout},
                         {"output_compared", options.ignores_output
                                                 ? "not at all"
                                                 : describe(result.baseline.out_likeness)},
                         {"leaves", describe(result.baseline.left)}};
  json["findings"] = result.findings().size();
  for (const Class what : kAllClasses) json["classes"][name_of(what)] = result.count(what);
  json["not_tried"] = result.plan.size() - result.tried();
  json["sites"] = Json::array();
  for (const SweepSite& site : result.baseline.sites) json["sites"].push_back(json_of_site(site));
  json["trials"] = Json::array();
  for (std::size_t n = 0; n < result.plan.size(); ++n)
    json["trials"].push_back(json_of_trial(result, n));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void check_report_name(const std::string& path) { (void)writer_for(path); }

void write_report(const std::string& path, const SweepResult& result) {
  const std::string text = writer_for(path)(result);
  const std::string draft = path + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(draft.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(draft.c_str());
    throw Failure(fmt::format("--report {}: {}", path, std::strerror(error)));
  }
}

}  // namespace ipcell::cli
