// The command line.
#pragma once

#include <regex>
#include <string>
#include <vector>

namespace ipcell::bench {

struct Options {
  bool wants_help = false;
  bool is_check = false;
  bool is_kernel_only = false;
  bool wants_sleepers = false;
  bool wants_deaths = false;
  std::string json_path;            // Empty: no file.
  std::regex filter{""};            // Searched for in a row's name.
  std::vector<std::string> passed;  // For Google Benchmark.
};

extern const char* const kUsage;

// Throws std::runtime_error for what cannot be understood.
Options parse_options(int argc, char** argv);

}  // namespace ipcell::bench
