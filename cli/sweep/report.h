// The reports of a sweep, each in a file of its own kind.
#pragma once

#include <string>

#include "cli/sweep/result.h"

namespace ipcell::cli {

// For people, on standard output.
std::string table_of(const SweepResult& result);
std::string json_of(const SweepResult& result);
// As JUnit's: what CI servers read.
std::string junit_of(const SweepResult& result);
// One page that needs nothing else.
std::string html_of(const SweepResult& result);

// Throws Failure if the name's end tells no kind of report, before anything is run.
void check_report_name(const std::string& path);
// Writes the report of that kind; the file is there whole or not at all. Throws Failure.
void write_report(const std::string& path, const SweepResult& result);

}  // namespace ipcell::cli
