#include "core/cell/cell_members.h"

#include <cerrno>
#include <sys/file.h>

#include "core/base/file.h"
#include "core/cell/process.h"

namespace ipcell {

namespace {

// How often, a millisecond apart, an exiting process asks whether it is its turn.
constexpr int kLeaveTries = 100;

// Reads a file of /proc/PID piece by piece; `feed` gets each byte until it returns false.
template <class Feed>
void read_bytes(long folder, const char* file, Feed feed) {
  const Descriptor input(open_at(folder, file, O_RDONLY));
  if (input.fd() < 0) return;
  char buffer[2048];
  for (;;) {
    const long size = sys::call(SYS_read, input.fd(), sys::arg(buffer), sizeof buffer);
    if (size <= 0) return;
    for (long n = 0; n < size; ++n) {
      if (!feed(buffer[n])) return;
    }
  }
}

// Follows a text byte by byte and says whether it is NAME=VALUE.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name), value_(value) {}

  void feed(char c, u64 position) {
    const u64 name_length = __builtin_strlen(name_);
    if (position == 0) matches_ = true;
    const char expected = position < name_length    ? name_[position]
                          : position == name_length ? '='
                          : matches_                ? value_[position - name_length - 1]
                                                    : '\0';
    matches_ = matches_ && c == expected;
    if (c == '\0') is_found_ = is_found_ || (matches_ && position > name_length);
  }
  bool is_found() const { return is_found_; }

 private:
  const char* name_;
  const char* value_;
  bool matches_ = false;
  bool is_found_ = false;
};

bool has_environment_of(long process, const CellPlace& place) {
  const char* name = place.folder.text + __builtin_strlen(place.base.text) + 1;
  Variable folder("IPCELL_DIR", place.base.text);
  Variable cell("IPCELL_CELL", name);
  u64 position = 0;
  read_bytes(process, "environ", [&](char c) {
    folder.feed(c, position);
    cell.feed(c, position);
    position = c == '\0' ? 0 : position + 1;
    return !folder.is_found() || !cell.is_found();
  });
  return folder.is_found() && cell.is_found();
}

// True if the line of /proc/PID/maps ("START-END PERMS OFFSET MAJ:MIN INODE   PATH") maps the file.
// Compared by path too: on some filesystems the line's device is not the one that stat(2) tells.
bool is_line_of(const char* line, const char* path, const struct statx* file) {
  u64 numbers[3] = {};  // major, minor, inode
  const char* at = line;
  for (int field = 0; field < 3; ++field) {
    while (*at != '\0' && *at != ' ') ++at;
    while (*at == ' ') ++at;
  }
  for (int n = 0; n < 3; ++n) {
    const u64 radix = n == 2 ? 10 : 16;
    for (; *at != '\0' && *at != ':' && *at != ' '; ++at) {
      const u64 digit = static_cast<u64>(*at <= '9' ? *at - '0' : *at - 'a' + 10);
      numbers[n] = numbers[n] * radix + digit;
    }
    if (*at != '\0') ++at;
  }
  while (*at == ' ') ++at;
  if (file != nullptr && numbers[0] == file->stx_dev_major && numbers[1] == file->stx_dev_minor &&
      numbers[2] == file->stx_ino) {
    return true;
  }
  if (!starts_with(at, path)) return false;
  at += __builtin_strlen(path);
  return *at == '\0' || is_equal(at, " (deleted)");
}

bool has_mapping_of(long process, const char* path, const struct statx* file) {
  char line[kCellPathSize + 128];
  u64 length = 0;
  bool is_found = false;
  read_bytes(process, "maps", [&](char c) {
    if (c != '\n') {
      // A longer line is of a longer path.
      if (length < sizeof line - 1) line[length] = c;
      ++length;
      return true;
    }
    if (length < sizeof line - 1) {
      line[length] = '\0';
      is_found = is_line_of(line, path, file);
    }
    length = 0;
    return !is_found;
  });
  return is_found;
}

i32 parse_pid(const char* name) {
  i32 pid = 0;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9' || pid > 100'000'000) return 0;
    pid = pid * 10 + (*name - '0');
  }
  return pid;
}

// Calls `visit(pid, folder)` for each process, until it returns false; the folder may be -errno. 0
// or -errno.
template <class Visit>
long for_each_process(Visit visit) {
  const Descriptor proc(open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  if (proc.fd() < 0) return proc.fd();
  return for_each_entry(proc.fd(), [&](const char* name) {
    const i32 pid = parse_pid(name);
    if (pid == 0) return true;
    const Descriptor process(open_at(proc.fd(), name, O_RDONLY | O_DIRECTORY));
    return visit(pid, process.fd());
  });
}

// True if one of the process's user ids is this process's; where that can't be known, too.
bool is_of_own_user(long process) {
  static constexpr char kKey[] = "Uid:";
  const u32 own = static_cast<u32>(sys::call(SYS_geteuid));
  std::size_t matched = 0;
  bool is_in_line = false, is_own = false, is_known = false, has_digits = false;
  u32 number = 0;
  read_bytes(process, "status", [&](char c) {
    if (is_in_line) {
      if (c >= '0' && c <= '9') {
        number = number * 10 + static_cast<u32>(c - '0');
        has_digits = true;
        return true;
      }
      if (has_digits) is_own = is_own || number == own;
      is_known = is_known || has_digits;
      number = 0;
      has_digits = false;
      return c != '\n';
    }
    matched = c == kKey[matched] ? matched + 1 : 0;
    is_in_line = kKey[matched] == '\0';
    return true;
  });
  return is_own || !is_known;
}

// The same, where it is not known as well. A process that may not be looked at (it changed its
// rights, say) may have the cell of its user mapped; in a shared cell, of any.
bool may_map(long process, const char* path, const struct statx* file, u32 mode) {
  const Descriptor maps(process < 0 ? process : open_at(process, "maps", O_RDONLY));
  if (maps.fd() == -ENOENT || maps.fd() == -ESRCH) return false;
  if (maps.fd() == -EACCES || maps.fd() == -EPERM) return mode != 0600 || is_of_own_user(process);
  if (maps.fd() < 0) return true;
  return has_mapping_of(process, path, file);
}

bool has_memory_since(i32 pid, u64 since) {
  u64 start_time = 0;
  bool is_zombie = false;
  return read_process(pid, &start_time, &is_zombie) && !is_zombie && start_time >= since;
}

bool has_joined_task(const Cell& cell, i32 pid, u64 pid_namespace) {
  const u32 high = load_acquire(cell.header().slots_high);
  for (u32 slot = 1; slot <= high && slot <= kTaskSlots; ++slot) {
    const TaskRec& rec = *cell.task(slot);
    if (load_acquire(cell.layout().task_states[slot - 1]) == kTaskLive && rec.pid == pid &&
        rec.pid_namespace == pid_namespace && load_acquire(rec.has_joined) != 0 &&
        !is_token_dead(rec.token)) {
      return true;
    }
  }
  return false;
}

}  // namespace

int for_each_member(const CellPlace& place, MemberVisitor visit, void* context) {
  struct statx info;
  const bool has_file = stat_path(place.file.text, &info) == 0;
  return static_cast<int>(for_each_process([&](i32 pid, long process) {
    if (process < 0) return true;
    if (!has_environment_of(process, place) &&
        !has_mapping_of(process, place.file.text, has_file ? &info : nullptr)) {
      return true;
    }
    return visit(context, pid);
  }));
}

bool has_stranger(const Cell& cell, const char* path, u64 pid_namespace, u64 since) {
  struct statx info;
  const bool has_file = stat_path(path, &info) == 0;
  bool is_found = false;
  if (!is_proc_of_own_namespace()) return true;
  const long error = for_each_process([&](i32 pid, long process) {
    is_found = !has_joined_task(cell, pid, pid_namespace) && has_memory_since(pid, since) &&
               may_map(process, path, has_file ? &info : nullptr, cell.header().mode);
    return !is_found;
  });
  return is_found || error != 0;
}

bool has_members(const CellPlace& place, i32 except) {
  struct Search {
    i32 except;
    bool is_found;
  } search = {except, false};
  for_each_member(
      place,
      [](void* context, i32 pid) {
        auto* wanted = static_cast<Search*>(context);
        wanted->is_found = pid != wanted->except;
        return !wanted->is_found;
      },
      &search);
  return search.is_found;
}

void leave_orphaned_cell(const CellPlace& place, i32 own_pid) {
  // Two that exit at once must not each wait for the other to be gone. So they pass one by one, and
  // the folder's lock is let go by the process's death, not before: the kernel closes descriptors
  // after it has taken environment and mappings away, so who gets the lock sees its predecessor no
  // more. A stopped one is not waited for: the next ipcell command cleans up then.
  const long folder = open_at(AT_FDCWD, place.folder.text, O_RDONLY | O_DIRECTORY);
  if (folder < 0) return;
  for (int tries = 0; sys::call(SYS_flock, folder, LOCK_EX | LOCK_NB) == -EWOULDBLOCK; ++tries) {
    if (tries == kLeaveTries) return;
    const struct timespec pause = {0, 1'000'000};
    sys::call(SYS_nanosleep, sys::arg(&pause), 0);
  }
  if (!has_members(place, own_pid)) (void)remove_cell(place);
}

}  // namespace ipcell
