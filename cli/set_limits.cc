#include "cli/set_limits.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "cli/failure.h"
#include "cli/tool_task.h"
#include "core/ipc/sysctl.h"

namespace ipcell::cli {

namespace {

std::string known_names() {
  std::string names;
  for (u32 number = 0; number < kSysctls; ++number) {
    if (sysctl_at(number).kind == Sysctl::Kind::Dummy) continue;
    names += names.empty() ? "" : ", ";
    names += sysctl_at(number).name;
  }
  return names;
}

// "a number from 0 to 32768"
std::string range_of(const Sysctl& sysctl) {
  switch (sysctl.kind) {
    case Sysctl::Kind::Longs: return "a number from 0 to 18446744073709551615";
    case Sysctl::Kind::Semaphores:
      return fmt::format("up to four numbers, SEMMSL SEMMNS SEMOPM SEMMNI, the last from 0 to {}",
                         sysctl.max);
    default: return fmt::format("a number from {} to {}", sysctl.min, sysctl.max);
  }
}

Limit parse(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw Failure(
        fmt::format("--limit {}: there is no `=`; say it as in --limit kernel.msgmnb=65536", text));
  }
  const std::string name = text.substr(0, equals);
  const u32 number = find_sysctl(name.c_str(), name.size());
  if (number == kSysctls) {
    throw Failure(fmt::format("--limit {}: there is no limit {}; there are {}", text,
                              name.empty() ? "without a name" : name, known_names()));
  }
  return {number, name, text.substr(equals + 1)};
}

void set(Task& task, const Limit& limit) {
  const std::string& value = limit.value;
  const long written = sys_sysctl_write(task, limit.number, value.c_str(), value.size(), 0);
  if (written == -EPERM) {
    throw Failure(fmt::format("--limit {}: the cell is another user's, who alone may set limits",
                              limit.name));
  }
  if (written == -EIO) throw Failure(fmt::format("--limit {}: the cell is damaged", limit.name));
  // Nothing at all, and something behind the numbers, is no error of write(2).
  if (written <= 0 || static_cast<std::size_t>(written) != value.size()) {
    throw Failure(fmt::format("--limit {}: the value is `{}`, and should be {}", limit.name, value,
                              range_of(sysctl_at(limit.number))));
  }
}

}  // namespace

std::vector<Limit> parse_limits(const std::vector<std::string>& texts) {
  std::vector<Limit> limits;
  for (const std::string& text : texts) limits.push_back(parse(text));
  return limits;
}

void set_limits(const CellPlace& place, const std::vector<Limit>& limits) {
  if (limits.empty()) return;
  ToolTask tool(place);
  if (tool.get() == nullptr) {
    throw Failure(fmt::format("--limit: {}: the cell can't be used; `ipcell ls` says why",
                              place.folder.text));
  }
  for (const Limit& limit : limits) set(*tool.get(), limit);
}

}  // namespace ipcell::cli
