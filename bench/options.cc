#include "options.h"

#include <stdexcept>
#include <string_view>

namespace ipcell::bench {
namespace {

// The arguments, one after the other; "--name=value" and "--name value" mean the same.
class Arguments {
 public:
  Arguments(int argc, char** argv) : rest_(argv + 1, argv + argc) {}

  bool has_next() const { return at_ < rest_.size(); }
  std::string next() { return rest_[at_++]; }

  // The value if `argument` is the option `name`.
  bool takes_value(const std::string& argument, std::string_view name, std::string& value) {
    if (argument == name) {
      if (!has_next()) throw std::runtime_error(argument + " needs a value");
      value = next();
      return true;
    }
    if (!argument.starts_with(name) || argument[name.size()] != '=') return false;
    value = argument.substr(name.size() + 1);
    return true;
  }

 private:
  std::vector<std::string> rest_;
  std::size_t at_ = 0;
};

std::regex to_regex(const std::string& pattern) {
  try {
    return std::regex(pattern, std::regex::extended);
  } catch (const std::regex_error&) {
    throw std::runtime_error("not a regular expression: " + pattern);
  }
}

}  // namespace

const char* const kUsage =
    "usage: ipcell run -- ipcell-bench [option ...]\n"
    "  --filter REGEX   only the rows whose name matches\n"
    "  --json FILE      also write the figures to FILE\n"
    "  --check          exit status 1 if a row breaks its limit or is not measured\n"
    "  --kernel-only    the kernel's absolute figures, without a cell\n"
    "  --sleepers       instead: the CPU time of processes that sleep in semop(2)\n"
    "  --deaths         instead: how long after a SEM_UNDO holder's death its peer returns\n"
    "  --benchmark_...  Google Benchmark's own options, such as --benchmark_repetitions=5,\n"
    "                   --benchmark_min_time=0.5, --benchmark_list_tests\n";

Options parse_options(int argc, char** argv) {
  Options options;
  Arguments arguments(argc, argv);
  while (arguments.has_next()) {
    const std::string argument = arguments.next();
    std::string pattern;
    if (argument == "--help" || argument == "-h")
      options.wants_help = true;
    else if (argument == "--check")
      options.is_check = true;
    else if (argument == "--kernel-only")
      options.is_kernel_only = true;
    else if (argument == "--sleepers")
      options.wants_sleepers = true;
    else if (argument == "--deaths")
      options.wants_deaths = true;
    else if (arguments.takes_value(argument, "--filter", pattern))
      options.filter = to_regex(pattern);
    else if (!arguments.takes_value(argument, "--json", options.json_path))
      options.passed.push_back(argument);
  }
  return options;
}

}  // namespace ipcell::bench
