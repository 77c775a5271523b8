// What `ipcell doctor` looks at. The checks try things out, and leave nothing behind.
#pragma once

#include <string>
#include <vector>

namespace ipcell::cli {

class Places;

struct Finding {
  // Note: works, but differently or not at its best. Warning: will fail for some. Bad: fails.
  enum class Level { Ok, Note, Warning, Bad };
  Level level;
  std::string what;
  std::string text;
  std::string advice;  // what to do; empty if nothing
};

std::vector<Finding> check_kernel();
std::vector<Finding> check_cells(const Places& places);
std::vector<Finding> check_limits();

}  // namespace ipcell::cli
