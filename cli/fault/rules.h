// Rules of fault injection as people give them: by options, by files, and by the environment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ipc/fault_parse.h"

namespace ipcell::cli {

// A text of rules, and what messages call it.
struct FaultSource {
  std::string name;
  std::string text;
  bool allow_illegal = false;
};
// "-" is standard input. Throws Failure.
FaultSource read_fault_file(const std::string& path, bool allow_illegal);

// The rules of all sources, in order. If any is malformed none is of use: throws Failure, which
// shows each that is.
std::vector<FaultRule> parse_faults(const std::vector<FaultSource>& sources);

// "NAME:1:8: there is no call ...", the line, and a caret below the place.
std::string show_fault_error(const FaultSource& source, std::size_t rule_start,
                             const FaultError& error);

// True if a rule's outcome depends on the seed.
bool needs_seed(const FaultRule& rule);
std::uint64_t draw_seed();

}  // namespace ipcell::cli
