#include "cli/cells.h"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/cell_reader.h"
#include "cli/fault/in_cell.h"
#include "cli/text.h"
#include "core/cell/cell_members.h"
#include "core/cell/liveness.h"
#include "core/cell/namespace_cell.h"
#include "core/cell/process.h"

namespace ipcell::cli {

namespace {

struct Files {
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;  // memory or disk that they take
};

Files files_of(const std::string& folder) {
  Files files;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
  if (!entries) return files;
  while (const dirent* entry = readdir(entries.get())) {
    struct stat info;
    if (fstatat(dirfd(entries.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISDIR(info.st_mode)) {
      ++files.count;
      files.bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return files;
}

const char* state_name(CellFault fault) {
  switch (fault) {
    case CellFault::None: return "ok";
    case CellFault::NotFound: return "empty";
    case CellFault::OtherVersion: return "other version";
    case CellFault::OtherBoot: return "other boot";
    case CellFault::ForeignOwner:
    case CellFault::UnsafeMode: return "refused";
    case CellFault::FileSizeLimit:
    case CellFault::AddressSpace:
    case CellFault::NoRoom:
    case CellFault::System: return "unreadable";
    default: return "damaged";
  }
}

// Fills in what the task table says.
void read_tasks(const CellReader& reader, const Header& header, CellInfo& info) {
  std::vector<std::uint64_t> states(std::min(header.slots_high, kTaskSlots));
  if (!reader.read(offsetof(CellLayout, task_states), states.data(), states.size())) return;
  const u64 pid_namespace = own_pid_namespace();
  for (std::size_t slot = 0; slot < states.size(); ++slot) {
    // A claim is short, and its processes are found in /proc.
    if (states[slot] != kTaskLive) continue;
    TaskRec task;
    const std::uint64_t offset = offsetof(CellLayout, tasks) + slot * sizeof(TaskPage);
    if (!reader.read(offset, &task) || is_token_dead(task.token)) continue;
    ++info.live_tasks;
    if (task.pid_namespace == pid_namespace) info.processes.push_back(task.pid);
  }
}

std::uint32_t count_objects(const CellReader& reader, u32 family) {
  i32 count = 0;
  reader.read(offsetof(CellLayout, registries) + family * sizeof(Registry) +
                  offsetof(Registry, in_use),
              &count);
  return static_cast<std::uint32_t>(std::clamp(count, 0, static_cast<i32>(kMaxIds)));
}

void read_cell(CellInfo& info) {
  const CellReader reader(info.place.file.text);
  Header header;
  const bool is_read = reader.read(0, &header);
  Cell cell;
  const CellStatus status = open_as_it_is(info.place, &cell);
  if (status.ok()) info.ipc_namespace = number_of_namespace(cell.inode());
  cell.close();
  info.state = state_name(status.fault);
  info.is_ok = status.ok();
  if (!status.ok()) info.reason = status.describe();
  if (!is_read || !status.ok()) return;
  info.age =
      static_cast<std::int64_t>(std::time(nullptr)) - static_cast<std::int64_t>(header.created);
  info.is_transient = header.transient != 0;
  info.is_orphaned = header.orphaned != 0;
  if (header.poisoned != 0) {
    info.is_ok = false;
    info.state = "damaged";
    info.reason = printable(header.poison_reason, sizeof header.poison_reason);
    info.reason += "; remove it with `ipcell rm`";
  }
  info.queues = count_objects(reader, kFamilyMsg);
  reader.read(offsetof(CellLayout, mqueues) + offsetof(MqueueTable, count), &info.posix_queues);
  info.semaphore_sets = count_objects(reader, kFamilySem);
  info.segments = count_objects(reader, kFamilyShm);
  info.fault_rules = static_cast<std::uint32_t>(faults_in(reader, header).size());
  read_tasks(reader, header, info);
}

bool is_cell_folder(const CellPlace& place) {
  struct stat info;
  if (lstat(place.folder.text, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
  const std::string runner = std::string(place.folder.text) + "/" + kRunnerFile;
  return lstat(place.file.text, &info) == 0 || lstat(runner.c_str(), &info) == 0;
}

}  // namespace

std::vector<pid_t> members_of(const CellPlace& place) {
  std::vector<pid_t> processes;
  for_each_member(
      place,
      [](void* list, i32 pid) {
        if (pid != getpid()) static_cast<std::vector<pid_t>*>(list)->push_back(pid);
        return true;
      },
      &processes);
  return processes;
}

std::string describe_processes(const std::vector<pid_t>& processes) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t n = 0; n < std::min(processes.size(), kShown); ++n) {
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/{}/comm", processes[n])), name);
    text += fmt::format("{}{} ({})", n == 0 ? "" : ", ", processes[n], name.empty() ? "?" : name);
  }
  if (processes.size() > kShown) text += fmt::format(" and {} more", processes.size() - kShown);
  return text;
}

// A shared cell is one whose header says so too; any other must be private.
CellStatus open_as_it_is(const CellPlace& place, Cell* cell) {
  Header header;
  struct stat file;
  const bool is_shared = CellReader(place.file.text).read(0, &header) &&
                         lstat(place.file.text, &file) == 0 && is_cell_mode(header.mode) &&
                         (file.st_mode & 07777) == header.mode;
  return Cell::open(place.file.text, cell_options(is_shared ? header.mode : 0600), cell);
}

CellInfo look_at_cell(const CellPlace& place) {
  CellInfo info;
  info.place = place;
  info.name = name_of_cell(place);
  info.is_namespace = info.name.rfind(kNamespacePrefix, 0) == 0;
  struct stat folder;
  if (lstat(place.folder.text, &folder) == 0) info.age = std::time(nullptr) - folder.st_mtime;
  const Files names = files_of(std::string(place.folder.text) + "/" + kPosixFolder);
  info.posix_names = names.count;
  info.bytes = files_of(place.folder.text).bytes + names.bytes;
  info.runner = look_at_runner(place.folder.text);
  info.is_transient = info.runner.state != RunnerState::None;
  read_cell(info);
  for (const pid_t pid : members_of(place)) info.processes.push_back(pid);
  std::sort(info.processes.begin(), info.processes.end());
  info.processes.erase(std::unique(info.processes.begin(), info.processes.end()),
                       info.processes.end());
  return info;
}

std::vector<CellInfo> list_cells(const std::string& base) {
  std::vector<CellInfo> cells;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(base.c_str()), closedir);
  if (!entries) return cells;
  while (const dirent* entry = readdir(entries.get())) {
    CellPlace place;
    if (!place_cell(base.c_str(), entry->d_name, &place).ok() || !is_cell_folder(place)) continue;
    cells.push_back(look_at_cell(place));
  }
  std::sort(cells.begin(), cells.end(),
            [](const CellInfo& a, const CellInfo& b) { return a.name < b.name; });
  return cells;
}

bool mark_orphaned(const CellPlace& place) {
  Cell cell;
  if (!open_as_it_is(place, &cell).ok()) return false;
  store_release(cell.header().orphaned, 1u);
  cell.close();
  return true;
}

}  // namespace ipcell::cli
