#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "cli/sweep/report.h"

namespace ipcell::cli {

namespace {

std::string body_of(const SweepResult& result, std::size_t n) {
  const Verdict& verdict = result.results[n]->verdict;
  std::string text = verdict.detail + "\n";
  for (const std::string& line : verdict.waits) text += line + "\n";
  if (!verdict.message.empty()) text += "standard error:\n" + verdict.message + "\n";
  return text + "to see it again:\n" + repeat_command(result, n) + "\n";
}

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(clean_text(value).c_str());
}

void add_case(pugi::xml_node suite, const SweepResult& result, std::size_t n) {
  pugi::xml_node node = suite.append_child("testcase");
  set(node, "classname", result.site_of(n).describe());
  set(node, "name", describe(result.plan[n]));
  if (!result.results[n]) {
    set(node.append_child("skipped"), "message", "not tried");
    return;
  }
  const Verdict& verdict = result.results[n]->verdict;
  set(node, "time", fmt::format("{:.3f}", result.results[n]->seconds));
  if (verdict.what == Class::NotReached) {
    set(node.append_child("skipped"), "message", "not reached: " + verdict.detail);
  } else if (verdict.is_finding()) {
    pugi::xml_node fault = node.append_child(verdict.what == Class::Broken ? "error" : "failure");
    set(fault, "type", name_of(verdict.what));
    set(fault, "message", verdict.detail);
    fault.text().set(clean_text(body_of(result, n)).c_str());
  }
}

}  // namespace

std::string junit_of(const SweepResult& result) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  pugi::xml_node suites = document.append_child("testsuites");
  pugi::xml_node suite = suites.append_child("testsuite");
  const std::size_t broken = result.count(Class::Broken);
  for (pugi::xml_node node : {suites, suite}) {
    set(node, "name", "ipcell sweep: " + command_line(result.options.command));
    set(node, "tests", std::to_string(result.plan.size()));
    set(node, "failures", std::to_string(result.findings().size() - broken));
    set(node, "errors", std::to_string(broken));
    set(node, "time", fmt::format("{:.3f}", result.seconds));
  }
  set(suite, "skipped",
      std::to_string(result.plan.size() - result.tried() + result.count(Class::NotReached)));
  for (std::size_t n = 0; n < result.plan.size(); ++n) add_case(suite, result, n);
  std::ostringstream stream;
  document.save(stream, "  ");
  return stream.str();
}

}  // namespace ipcell::cli
