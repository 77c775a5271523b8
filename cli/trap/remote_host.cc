#include "cli/trap/remote_host.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace ipcell::cli {

namespace {

constexpr char kPathVariable[] = "IPCELL_FAULT_PATH=";

template <std::size_t Size>
void copy_text(char (&out)[Size], const std::string& text) {
  const std::size_t length = text.copy(out, Size - 1);
  out[length] = '\0';
}

// The value in an environment of NAME=VALUE, each with a zero byte; empty if it is not there.
std::string find_path(const std::string& environment) {
  for (std::size_t at = 0; at < environment.size();) {
    const std::string entry = environment.c_str() + at;
    if (entry.rfind(kPathVariable, 0) == 0) {
      const std::string value = entry.substr(std::strlen(kPathVariable));
      return value.substr(0, value.find('+'));
    }
    at += entry.size() + 1;
  }
  return "";
}

}  // namespace

FaultHost remote_fault_host(pid_t pid) {
  FaultHost host = {};
  host.is_remote = true;
  std::ifstream file(fmt::format("/proc/{}/environ", pid), std::ios::binary);
  const std::string environment{std::istreambuf_iterator<char>(file), {}};
  const std::string path = find_path(environment);
  copy_text(host.path, path.empty() ? "0" : path);
  std::error_code error;
  const auto program = std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error);
  if (!error) copy_text(host.program, program.filename().string());
  return host;
}

}  // namespace ipcell::cli
