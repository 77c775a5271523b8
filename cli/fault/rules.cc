#include "cli/fault/rules.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <regex.h>
#include <set>
#include <sstream>
#include <sys/random.h>

#include <fmt/format.h>

#include "cli/failure.h"
#include "core/cell/layout.h"

namespace ipcell::cli {

namespace {

// As many as are shown of one lot.
constexpr std::size_t kShownErrors = 10;

bool is_regex(const char* text, std::size_t length) {
  regex_t regex;
  if (regcomp(&regex, std::string(text, length).c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return false;
  regfree(&regex);
  return true;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

bool is_control(char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == 0x7f; }

// What of a line stands before a place, as blanks of the same width.
std::string blanks_for(const std::string& before) {
  std::string blanks;
  for (const char byte : before) {
    if (!is_continuation(byte)) blanks += byte == '\t' ? '\t' : ' ';
  }
  return blanks;
}

// Nothing that would move a terminal's cursor.
std::string shown_line(std::string line) {
  for (char& byte : line) {
    if (is_control(byte) && byte != '\t') byte = '?';
  }
  return line;
}

void add_rules_of(const FaultSource& source, std::vector<FaultRule>& rules,
                  std::vector<std::string>& errors) {
  const FaultParseOptions options{.allow_illegal = source.allow_illegal, .is_regex = is_regex};
  const std::string& text = source.text;
  for (std::size_t start = 0; start < text.size();) {
    const char* const from = text.c_str() + start;
    const std::size_t length = fault_rule_length(from, text.size() - start);
    if (!is_fault_blank(from, length)) {
      FaultError error;
      FaultRule rule{};
      if (parse_fault_rule(from, length, options, &rule, &error)) {
        rules.push_back(rule);
      } else {
        errors.push_back(show_fault_error(source, start, error));
      }
    }
    start += length + 1;
  }
}

void check_lot(const std::vector<FaultRule>& rules) {
  if (rules.size() > kFaultRules)
    throw Failure(fmt::format("{} fault rules; a cell has {} at most", rules.size(), kFaultRules));
  std::set<std::string> ids;
  for (const FaultRule& rule : rules) {
    if (rule.id[0] != '\0' && !ids.insert(rule.id).second)
      throw Failure(fmt::format("two fault rules are called {}", rule.id));
  }
}

}  // namespace

FaultSource read_fault_file(const std::string& path, bool allow_illegal) {
  std::ostringstream text;
  errno = 0;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    std::ifstream file(path);
    // A folder can be opened, but not read.
    if (file) text << file.rdbuf();
    if (!file || (file.peek() != EOF || errno != 0)) {
      throw Failure(fmt::format("--faults {}: {}", path, std::strerror(errno != 0 ? errno : EIO)));
    }
  }
  return {path == "-" ? "standard input" : path, text.str(), allow_illegal};
}

std::vector<FaultRule> parse_faults(const std::vector<FaultSource>& sources) {
  std::vector<FaultRule> rules;
  std::vector<std::string> errors;
  for (const FaultSource& source : sources) add_rules_of(source, rules, errors);
  if (errors.empty()) {
    check_lot(rules);
    return rules;
  }
  std::string text;
  for (std::size_t n = 0; n < std::min(errors.size(), kShownErrors); ++n)
    text += (n == 0 ? "" : "\nipcell: ") + errors[n];
  if (errors.size() > kShownErrors)
    text += fmt::format("\nipcell: ... and {} more", errors.size() - kShownErrors);
  throw Failure(text);
}

std::string show_fault_error(const FaultSource& source, std::size_t rule_start,
                             const FaultError& error) {
  const std::string& text = source.text;
  const std::size_t at =
      std::min(rule_start + (error.column > 0 ? error.column - 1 : 0), text.size());
  const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const std::size_t line_start = before == std::string::npos ? 0 : before + 1;
  const std::size_t line_end = std::min(text.find('\n', at), text.size());
  const std::string line = text.substr(line_start, line_end - line_start);
  const std::size_t column = at - line_start;
  const auto number =
      1 + std::count(text.begin(), text.begin() + static_cast<long>(line_start), '\n');
  std::size_t width = 0;
  for (const char byte : line.substr(column, std::max<std::size_t>(error.length, 1)))
    width += is_continuation(byte) ? 0 : 1;
  return fmt::format("{}:{}:{}: {}\n  {}\n  {}^{}", source.name, number, column + 1, error.message,
                     shown_line(line), blanks_for(line.substr(0, column)),
                     std::string(width > 1 ? width - 1 : 0, '~'));
}

bool needs_seed(const FaultRule& rule) { return rule.trigger.chance < 1ull << 32; }

std::uint64_t draw_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) throw Failure("no random number to be had");
  // Short enough to be typed.
  return seed % 1'000'000'000;
}

}  // namespace ipcell::cli
