// Fault rules that are refused: a table's row, and what has to hold of it.
#pragma once

#include <cstring>
#include <string>

#include "core/ipc/fault_parse.h"
#include "tests/unit/catch.h"

namespace ipcell::test {

// In the text one `^` stands in front of what is complained about, and one behind it.
struct Refused {
  const char* text;
  const char* message;  // a part of it
};

struct Parsed {
  bool is_parsed;
  FaultRule rule;
  FaultError error;
};

inline Parsed parse(const std::string& text, bool allow_illegal) {
  FaultParseOptions options;
  options.allow_illegal = allow_illegal;
  Parsed outcome;
  outcome.is_parsed =
      parse_fault_rule(text.data(), text.size(), options, &outcome.rule, &outcome.error);
  return outcome;
}

inline std::string without_marks(const Refused& row, u32* column, u32* length) {
  std::string text = row.text;
  const std::size_t start = text.find('^');
  text.erase(start, 1);
  const std::size_t end = text.find('^');
  text.erase(end, 1);
  *column = static_cast<u32>(start) + 1;
  *length = end == start ? 1 : static_cast<u32>(end - start);
  return text;
}

inline void check_complaint(const Refused& row, const Parsed& outcome, u32 column, u32 length) {
  const FaultError& error = outcome.error;
  INFO(error.column << "+" << error.length << ": " << error.message);
  CHECK(!outcome.is_parsed);
  CHECK(error.column == column);
  CHECK(error.length == length);
  CHECK(std::string(error.message).find(row.message) != std::string::npos);
  // It was not cut.
  CHECK(std::strlen(error.message) < sizeof error.message - 1);
  FaultRule none = {};
  CHECK(std::memcmp(&outcome.rule, &none, sizeof none) == 0);
}

// Refused whether or not the illegal is allowed.
inline void check_malformed(const Refused& row) {
  u32 column, length;
  const std::string text = without_marks(row, &column, &length);
  INFO(row.text);
  const Parsed outcome = parse(text, false);
  check_complaint(row, outcome, column, length);
  CHECK(outcome.error.is_illegal == 0);
  CHECK(!parse(text, true).is_parsed);
}

// Refused, and allowed if asked for.
inline void check_illegal(const Refused& row) {
  u32 column, length;
  const std::string text = without_marks(row, &column, &length);
  INFO(row.text);
  const Parsed outcome = parse(text, false);
  check_complaint(row, outcome, column, length);
  CHECK(outcome.error.is_illegal == 1);
  const Parsed allowed = parse(text, true);
  CHECK(allowed.is_parsed);
  CHECK(allowed.rule.is_illegal == 1);
}

inline void check_legal(const std::string& text) {
  const Parsed outcome = parse(text, true);
  INFO(text << "\n" << outcome.error.message);
  CHECK(outcome.is_parsed);
  CHECK(outcome.rule.is_illegal == 0);
  CHECK(parse(text, false).is_parsed);
}

}  // namespace ipcell::test
