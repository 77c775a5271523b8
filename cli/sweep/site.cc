#include "cli/sweep/site.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <tuple>

#include <fmt/format.h>

#include "core/ipc/fault_parse.h"

namespace ipcell::cli {

namespace {

struct CommandName {
  FaultOp op;
  i32 number;
  const char* name;
};
constexpr CommandName kCommands[] = {
    {FaultOp::Msgctl, MSG_STAT, "MSG_STAT"},     {FaultOp::Msgctl, MSG_INFO, "MSG_INFO"},
    {FaultOp::Msgctl, 13, "MSG_STAT_ANY"},       {FaultOp::Semctl, GETPID, "GETPID"},
    {FaultOp::Semctl, GETVAL, "GETVAL"},         {FaultOp::Semctl, GETALL, "GETALL"},
    {FaultOp::Semctl, GETNCNT, "GETNCNT"},       {FaultOp::Semctl, GETZCNT, "GETZCNT"},
    {FaultOp::Semctl, SETVAL, "SETVAL"},         {FaultOp::Semctl, SETALL, "SETALL"},
    {FaultOp::Semctl, SEM_STAT, "SEM_STAT"},     {FaultOp::Semctl, SEM_INFO, "SEM_INFO"},
    {FaultOp::Semctl, 20, "SEM_STAT_ANY"},       {FaultOp::Shmctl, SHM_LOCK, "SHM_LOCK"},
    {FaultOp::Shmctl, SHM_UNLOCK, "SHM_UNLOCK"}, {FaultOp::Shmctl, SHM_STAT, "SHM_STAT"},
    {FaultOp::Shmctl, SHM_INFO, "SHM_INFO"},     {FaultOp::Shmctl, 15, "SHM_STAT_ANY"},
};

// Empty if the call has none, or one that nobody knows.
std::string command_name(FaultOp op, i32 number) {
  const bool is_control = op == FaultOp::Msgctl || op == FaultOp::Semctl || op == FaultOp::Shmctl;
  if (!is_control || number < 0) return "";
  // glibc's commands have IPC_64 in them where the system call's have.
  number &= 0xff;
  if (number == IPC_RMID) return "IPC_RMID";
  if (number == IPC_SET) return "IPC_SET";
  if (number == IPC_STAT) return "IPC_STAT";
  if (number == IPC_INFO) return "IPC_INFO";
  for (const CommandName& command : kCommands) {
    if (command.op == op && command.number == number) return command.name;
  }
  return "";
}

// Texts in the cell may be anything, and need not end.
template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  std::string text;
  for (std::size_t n = 0; n < N && field[n] != '\0'; ++n) {
    text += std::isprint(static_cast<unsigned char>(field[n])) != 0 ? field[n] : '?';
  }
  return text;
}

// What makes a site that site.
auto identity(const SweepSite& site) {
  return std::tie(site.process, site.number, site.op, site.command, site.caller, site.offset);
}
bool is_same_site(const SweepSite& a, const SweepSite& b) {
  if (a.number != 0 || b.number != 0) {
    return a.number == b.number && a.op == b.op && a.process == b.process;
  }
  return a.op == b.op && a.command == b.command && a.offset == b.offset && a.caller == b.caller;
}

// Can it stand behind `caller=` or `prog=`?
bool is_plain(const std::string& name) {
  return !name.empty() && name != "?" && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("._-+@~", c) != nullptr;
  });
}

}  // namespace

std::string SweepSite::call() const {
  const char* const name = name_of(op);
  const std::string command_text = command_name(op, command);
  return command_text.empty() ? name : fmt::format("{} {}", name, command_text);
}

std::string SweepSite::describe() const {
  if (number != 0) return fmt::format("call {} of {} in process {}", number, call(), process);
  if (caller.empty() || caller == "?") return call();
  std::string text = fmt::format("{} at {}+{:#x}", call(), caller, offset);
  if (!place.empty()) text += fmt::format(" ({})", place);
  return text;
}

std::string SweepSite::predicates() const {
  std::vector<std::string> list;
  if (number != 0) {
    list.push_back("proc=" + process);
  } else {
    if (is_plain(caller)) list.push_back(fmt::format("caller={}+{:#x}", caller, offset));
    const std::string command_text = command_name(op, command);
    if (!command_text.empty()) list.push_back("cmd=" + command_text);
  }
  return list.empty() ? "" : fmt::format("[{}]", fmt::join(list, ","));
}

std::vector<SweepSite> read_sites(const Cell& cell, u64* lost) {
  const FaultTable& table = cell.layout().faults;
  std::vector<SweepSite> sites;
  for (const FaultSite& record : table.sites) {
    if (load_acquire(record.key) == 0 || load_acquire(record.is_ready) == 0) continue;
    if (static_cast<u32>(record.op) >= kFaultOps) continue;
    SweepSite site;
    site.op = record.op;
    site.seen = load_relaxed(record.seen);
    site.command = record.command;
    site.number = record.number;
    site.offset = record.offset;
    site.caller = text_of(record.caller);
    site.program = text_of(record.program);
    site.process = text_of(record.process);
    site.count = load_relaxed(record.count);
    site.runs = 1;
    sites.push_back(std::move(site));
  }
  *lost = load_relaxed(table.lost_sites);
  return sites;
}

void merge_sites(std::vector<SweepSite>& sites, const std::vector<SweepSite>& more) {
  for (const SweepSite& site : more) {
    const auto known = std::find_if(sites.begin(), sites.end(),
                                    [&](const SweepSite& s) { return is_same_site(s, site); });
    if (known == sites.end()) {
      sites.push_back(site);
      continue;
    }
    known->seen |= site.seen;
    known->count = std::max(known->count, site.count);
    known->runs += site.runs;
  }
}

void sort_sites(std::vector<SweepSite>& sites) {
  std::sort(sites.begin(), sites.end(),
            [](const SweepSite& a, const SweepSite& b) { return identity(a) < identity(b); });
}

}  // namespace ipcell::cli
