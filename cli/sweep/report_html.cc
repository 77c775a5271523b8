// One page that needs nothing else: no network, and without scripts it shows everything.
#include <cctype>

#include <fmt/format.h>

#include "cli/sweep/report.h"

namespace ipcell::cli {

namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --line: #8885; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; margin: .4rem 0; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
  padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
.class { display: inline-block; border-radius: 1rem; padding: 0 .6rem; color: #fff; white-space: nowrap; }
.crash, .hang, .broken { background: #b3261e; } .silent-wrong { background: #a3470c; }
.leak { background: #7a5c00; } .flaky { background: #6a3d9a; } .handled { background: #1f6f43; }
.same { background: #356a9a; } .not-reached, .not-tried, .expected { background: #6b7280; }
.filters label { margin-right: 1rem; white-space: nowrap; }
details > summary { cursor: pointer; }
)";

constexpr const char* kScript = R"(
const boxes = [...document.querySelectorAll('.filters input[type=checkbox]')];
const words = document.getElementById('words');
function filter() {
  const shown = new Set(boxes.filter(b => b.checked).map(b => b.value));
  const word = words.value.toLowerCase();
  let count = 0;
  for (const row of document.querySelectorAll('tr[data-class]')) {
    const is = shown.has(row.dataset.class) && row.textContent.toLowerCase().includes(word);
    row.hidden = !is;
    if (is) ++count;
  }
  document.getElementById('count').textContent = count + ' shown';
}
for (const box of boxes) box.addEventListener('change', filter);
words.addEventListener('input', filter);
filter();
)";

std::string escape(const std::string& text) {
  std::string result;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string css_name(std::string name) {
  for (char& c : name) c = c == ' ' ? '-' : c;
  return name;
}

std::string class_of_row(const SweepResult& result, std::size_t n) {
  if (!result.results[n]) return "not tried";
  const Verdict& verdict = result.results[n]->verdict;
  return verdict.is_expected ? "expected" : name_of(verdict.what);
}

std::string chip(const std::string& name) {
  return fmt::format("<span class=\"class {}\">{}</span>", css_name(name), escape(name));
}

// One box for each class that there is.
std::string filters(const SweepResult& result) {
  std::vector<std::string> names;
  for (const Class what : kAllClasses) names.emplace_back(name_of(what));
  names.insert(names.end(), {"expected", "not tried"});
  std::string text = "<p class=\"filters\">";
  for (const std::string& name : names) {
    std::size_t count = 0;
    for (std::size_t n = 0; n < result.plan.size(); ++n) count += class_of_row(result, n) == name;
    if (count == 0) continue;
    text += fmt::format("<label><input type=\"checkbox\" value=\"{}\" checked> {} {}</label>\n",
                        escape(name), chip(name), count);
  }
  return text + "<input id=\"words\" type=\"search\" placeholder=\"text\"> <span "
                "id=\"count\"></span></p>\n";
}

std::string details_of(const SweepResult& result, std::size_t n) {
  if (!result.results[n]) return "";
  const Verdict& verdict = result.results[n]->verdict;
  std::string text = escape(verdict.detail);
  if (!verdict.waits.empty()) {
    text += "<pre>";
    for (const std::string& line : verdict.waits) text += escape(line) + "\n";
    text += "</pre>";
  }
  if (!verdict.message.empty()) {
    text += fmt::format("<details><summary>standard error</summary><pre>{}</pre></details>",
                        escape(verdict.message));
  }
  return text + fmt::format("<details{}><summary>to see it again</summary><pre>{}</pre></details>",
                            verdict.is_finding() ? " open" : "", escape(repeat_command(result, n)));
}

std::string row(const SweepResult& result, std::size_t n) {
  const std::string name = class_of_row(result, n);
  return fmt::format(
      "<tr data-class=\"{}\"><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
      escape(name), chip(name), escape(result.site_of(n).describe()),
      escape(describe(result.plan[n])), details_of(result, n));
}

std::string rows(const SweepResult& result) {
  std::string text;
  const std::vector<std::size_t> findings = result.findings();
  for (const std::size_t n : findings) text += row(result, n);
  for (std::size_t n = 0; n < result.plan.size(); ++n) {
    const bool is_finding = result.results[n] && result.results[n]->verdict.is_finding();
    if (!is_finding) text += row(result, n);
  }
  return text;
}

std::string site_rows(const SweepResult& result) {
  std::string text;
  for (std::size_t site = 0; site < result.baseline.sites.size(); ++site) {
    std::size_t tried = 0, bad = 0, all = 0;
    for (std::size_t n = 0; n < result.plan.size(); ++n) {
      if (result.plan[n].site != site) continue;
      ++all;
      if (!result.results[n]) continue;
      ++tried;
      bad += result.results[n]->verdict.is_finding();
    }
    const SweepSite& what = result.baseline.sites[site];
    text += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{} of {}</td><td>{}</td></tr>\n",
                        escape(what.describe()), static_cast<std::uint64_t>(what.count),
                        what.has(kSiteBlocked) ? "yes" : "no", tried, all, bad);
  }
  return text;
}

}  // namespace

std::string html_of(const SweepResult& result) {
  const std::string command = escape(command_line(result.options.command));
  const std::size_t findings = result.findings().size();
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>ipcell sweep: {}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n",
      command, kStyle);
  text += fmt::format("<h1>ipcell sweep</h1>\n<pre>{}</pre>\n", command);
  text +=
      fmt::format("<p>{} finding{} in {} faults tried at {} sites, {:.1f} s. Seed {}.</p>\n",
                  findings, findings == 1 ? "" : "s", result.tried(), result.baseline.sites.size(),
                  result.seconds, static_cast<std::uint64_t>(result.options.seed));
  text +=
      fmt::format("<p>{}.</p>\n", escape(describe(result.baseline, result.options.ignores_output)));
  for (const std::string& line : shortcomings(result))
    text += fmt::format("<p><b>{}</b></p>\n", escape(line));
  text += "<h2>Faults</h2>\n" + filters(result);
  text += "<table>\n<tr><th>class</th><th>where</th><th>fault</th><th>what came of it</th></tr>\n" +
          rows(result) + "</table>\n";
  text += "<h2>Sites</h2>\n<table>\n<tr><th>where</th><th>calls</th><th>slept</th><th>tried</th>"
          "<th>findings</th></tr>\n" +
          site_rows(result) + "</table>\n";
  return text + fmt::format("<script>{}</script>\n</body>\n</html>\n", kScript);
}

}  // namespace ipcell::cli
