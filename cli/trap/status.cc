#include "cli/trap/status.h"

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace ipcell::cli {

namespace {

std::uint64_t read_hex(std::istream& words) {
  std::uint64_t value = 0;
  words >> std::hex >> value;
  return value;
}

void read_line(const std::string& line, ThreadStatus& status) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  const std::string name = line.substr(0, colon);
  std::istringstream words(line.substr(colon + 1));
  std::uint32_t skipped;
  if (name == "Umask") words >> std::oct >> status.umask;
  if (name == "Tgid") words >> status.process;
  if (name == "Threads") words >> status.threads;
  if (name == "Uid") words >> status.real_uid >> status.effective_uid;
  if (name == "Gid") words >> skipped >> status.effective_gid >> skipped >> status.filesystem_gid;
  if (name == "Groups") {
    for (std::uint32_t group; words >> group;) status.groups.push_back(group);
  }
  if (name == "CapEff") status.capabilities = read_hex(words);
  if (name == "SigPnd") status.pending = read_hex(words);
  if (name == "ShdPnd") status.shared_pending = read_hex(words);
  if (name == "SigBlk") status.blocked = read_hex(words);
}

}  // namespace

StatusFile::StatusFile(pid_t tid)
    : file_(open(("/proc/" + std::to_string(tid) + "/status").c_str(), O_RDONLY | O_CLOEXEC)) {}

StatusFile::~StatusFile() {
  if (file_ >= 0) close(file_);
}

bool StatusFile::read(ThreadStatus* status) const {
  // With all the groups that a process may have it is longer.
  std::string text(4096, '\0');
  ssize_t length = 0;
  while ((length = pread(file_, text.data(), text.size(), 0)) == static_cast<ssize_t>(text.size()))
    text.resize(text.size() * 4);
  if (length <= 0) return false;
  text.resize(static_cast<std::size_t>(length));
  *status = {};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) read_line(line, *status);
  return true;
}

std::uint64_t mqueue_limit_of(pid_t tid) {
  constexpr const char* kName = "Max msgqueue size";
  std::ifstream file("/proc/" + std::to_string(tid) + "/limits");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, std::strlen(kName), kName) != 0) continue;
    std::uint64_t limit = 0;
    return std::istringstream(line.substr(std::strlen(kName))) >> limit ? limit : ~0ull;
  }
  return 0;
}

std::string environment_of(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ");
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry.compare(0, name.size() + 1, name + "=") == 0) return entry.substr(name.size() + 1);
  }
  return "";
}

}  // namespace ipcell::cli
