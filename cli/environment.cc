#include "cli/environment.h"

#include <cstdlib>

#include <fmt/format.h>

#include "cli/fault/run_faults.h"

extern char** environ;

namespace ipcell::cli {

namespace {

// LD_PRELOAD with the library in front.
std::string preload_of(const std::string& library) {
  const char* present = std::getenv("LD_PRELOAD");
  if (present == nullptr || *present == '\0') return library;
  const std::string rest = present;
  const bool is_there = rest == library || rest.compare(0, library.size() + 1, library + ":") == 0;
  return is_there ? rest : library + ":" + rest;
}

}  // namespace

std::vector<std::string> environment_for(const CellEnvironment& wanted) {
  // Decided here for all that is started: another user's rights to /dev/shm may be others.
  const char* asked = std::getenv("IPCELL_POSIX");
  const bool is_asked = asked != nullptr && *asked != '\0' && *asked != '0';
  const bool has_names = wanted.posix || is_asked || !has_dev_shm();
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    if (name != "LD_PRELOAD" && name != "IPCELL_DIR" && name != "IPCELL_CELL" &&
        name != "IPCELL_MODE" && !is_fault_variable(name) &&
        !(has_names && name == "IPCELL_POSIX")) {
      result.push_back(text);
    }
  }
  result.push_back("LD_PRELOAD=" + preload_of(wanted.library));
  result.push_back(std::string("IPCELL_DIR=") + wanted.place.base.text);
  result.push_back(std::string("IPCELL_CELL=") + name_of_cell(wanted.place));
  // Rules may be added at any time, and count the calls of each process apart.
  result.push_back("IPCELL_FAULT_PATH=0");
  if (wanted.mode) result.push_back(fmt::format("IPCELL_MODE={:04o}", *wanted.mode));
  // Programs in other IPC namespaces, which are cells of their own, have the same names.
  if (has_names) result.push_back(std::string("IPCELL_POSIX=") + name_of_cell(wanted.place));
  return result;
}

}  // namespace ipcell::cli
