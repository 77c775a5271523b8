#include "core/cell/cell_members.h"

#include <cerrno>
#include <sys/file.h>

#include "core/base/file.h"
#include "core/cell/namespace_cell.h"
#include "core/cell/process.h"

namespace ipcell {

namespace {

// How often, a millisecond apart, an exiting process asks whether it is its turn.
constexpr int kLeaveTries = 100;

// Reads a file of /proc/PID piece by piece; `feed` gets each byte until it returns false. False if
// it can't be read.
template <class Feed>
bool read_bytes(long folder, const char* file, Feed feed) {
  const Descriptor input(open_at(folder, file, O_RDONLY));
  if (input.fd() < 0) return false;
  char buffer[2048];
  for (;;) {
    const long size = sys::call(SYS_read, input.fd(), sys::arg(buffer), sizeof buffer);
    if (size <= 0) return size == 0;
    for (long n = 0; n < size; ++n) {
      if (!feed(buffer[n])) return true;
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

bool has_environment_of(long process, const CellPlace& place, bool* is_readable) {
  Variable folder("IPCELL_DIR", place.base.text);
  Variable cell("IPCELL_CELL", name_of_cell(place));
  u64 position = 0;
  *is_readable = read_bytes(process, "environ", [&](char c) {
    folder.feed(c, position);
    cell.feed(c, position);
    position = c == '\0' ? 0 : position + 1;
    return !folder.is_found() || !cell.is_found();
  });
  return folder.is_found() && cell.is_found();
}

// A line of /proc/PID/maps: "START-END PERMS OFFSET MAJ:MIN INODE   PATH".
struct Mapping {
  u64 start, end, offset, major, minor, inode;
  bool is_closed;    // nothing can be done with it: "---s"
  const char* path;  // to the line's end

  explicit Mapping(const char* line) {
    const char* at = line;
    start = number(at, 16);
    end = number(at, 16);
    is_closed = starts_with(at, "---s");
    while (*at != '\0' && *at != ' ') ++at;
    while (*at == ' ') ++at;
    offset = number(at, 16);
    major = number(at, 16);
    minor = number(at, 16);
    inode = number(at, 10);
    while (*at == ' ') ++at;
    path = at;
  }

  // Compared by path too: on some filesystems the line's device is not the one that stat(2) tells.
  bool is_of(const char* file_path, const struct statx* file) const {
    if (file != nullptr && major == file->stx_dev_major && minor == file->stx_dev_minor &&
        inode == file->stx_ino) {
      return true;
    }
    if (!starts_with(path, file_path)) return false;
    const char* rest = path + __builtin_strlen(file_path);
    return *rest == '\0' || is_equal(rest, " (deleted)");
  }
  // See map_namespace_marker().
  bool is_marker() const { return is_closed && end - start == kPage && offset == 0; }

 private:
  // Ends behind the number and one byte more.
  static u64 number(const char*& at, u64 radix) {
    u64 value = 0;
    for (; *at != '\0' && *at != '-' && *at != ':' && *at != ' '; ++at)
      value = value * radix + static_cast<u64>(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    if (*at != '\0') ++at;
    return value;
  }
};

// Calls `visit(mapping)` for each line of the process's maps, until it returns false.
template <class Visit>
void for_each_mapping(long process, Visit visit) {
  char line[kCellPathSize + 128];
  u64 length = 0;
  read_bytes(process, "maps", [&](char c) {
    if (c != '\n') {
      // A longer line is of a longer path.
      if (length < sizeof line - 1) line[length] = c;
      ++length;
      return true;
    }
    const bool fits = length < sizeof line - 1;
    if (fits) line[length] = '\0';
    length = 0;
    return !fits || visit(Mapping(line));
  });
}

// `*has_marker`: a cell that may be another is marked as the process's namespace.
bool has_mapping_of(long process, const char* path, const struct statx* file, bool* has_marker) {
  bool is_found = false;
  *has_marker = false;
  for_each_mapping(process, [&](const Mapping& mapping) {
    is_found = mapping.is_of(path, file);
    *has_marker |= mapping.is_marker();
    return !is_found;
  });
  return is_found;
}

// The mappings first: a program that has just been started by exec(2) has lost them, but has the
// environment already, unless it is in between: that is soon over. If it is not, it counts.
bool belongs_to(i32 pid, long process, const CellPlace& place, const struct statx* file) {
  constexpr int kTries = 40;
  const struct timespec pause = {0, 500'000};
  for (int tries = 0; tries < kTries; ++tries) {
    bool has_marker, is_readable;
    if (has_mapping_of(process, place.file.text, file, &has_marker)) return true;
    if (has_marker) return false;
    if (has_environment_of(process, place, &is_readable)) return true;
    if (!is_readable || !is_between_programs(pid)) return false;
    sys::call(SYS_nanosleep, sys::arg(&pause), 0);
  }
  return true;
}

i32 parse_pid(const char* name) {
  i32 pid = 0;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9' || pid > 100'000'000) return 0;
    pid = pid * 10 + (*name - '0');
  }
  return pid;
}

// The folder of a process in /proc, or -errno.
long open_process(i32 pid) {
  return open_at(AT_FDCWD, ProcPath(pid, "").text, O_RDONLY | O_DIRECTORY);
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
  const u32 own = static_cast<u32>(sys::call(sys::kGeteuid));
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
  bool has_marker;
  return has_mapping_of(process, path, file, &has_marker);
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
    const bool is_member =
        process >= 0 && belongs_to(pid, process, place, has_file ? &info : nullptr);
    return !is_member || visit(context, pid);
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

// The value of IPCELL_CELL in the process's environment, if its IPCELL_DIR is `base`.
static bool find_cell_in_environment(long process, const char* base,
                                     char (&name)[kCellNameMax + 2]) {
  static constexpr char kVariable[] = "IPCELL_CELL=";
  Variable folder("IPCELL_DIR", base);
  u64 position = 0, length = 0;
  bool is_variable = false;
  name[0] = '\0';
  read_bytes(process, "environ", [&](char c) {
    folder.feed(c, position);
    if (position < sizeof kVariable - 1) {
      is_variable = (position == 0 || is_variable) && c == kVariable[position];
    } else if (is_variable && length < sizeof name - 1) {
      name[length++] = c;
      name[length] = '\0';
    }
    position = c == '\0' ? 0 : position + 1;
    return !folder.is_found() || name[0] == '\0' || position != 0;
  });
  return folder.is_found() && is_cell_name(name);
}

bool find_namespace_of(const char* base, i32 pid, CellPlace* place, u64* cell_inode) {
  const Descriptor process(open_process(pid));
  if (process.fd() < 0) return false;
  bool is_found = false;
  for_each_mapping(process.fd(), [&](const Mapping& mapping) {
    CellPlace seen;
    if (mapping.offset != 0 || !starts_with(mapping.path, base) ||
        !place_of_path(mapping.path, kCellFile, &seen) || !is_equal(seen.base.text, base)) {
      return true;
    }
    if (!is_found || mapping.is_marker()) {
      __builtin_memcpy(place, &seen, sizeof seen);
      *cell_inode = mapping.inode;
    }
    is_found = true;
    return !mapping.is_marker();
  });
  char name[kCellNameMax + 2];
  struct statx info;
  if (is_found || !find_cell_in_environment(process.fd(), base, name) ||
      !place_cell(base, name, place).ok() || stat_path(place->file.text, &info) != 0) {
    return is_found;
  }
  *cell_inode = info.stx_ino;
  return true;
}

bool is_member(const CellPlace& place, i32 pid) {
  const Descriptor process(open_process(pid));
  struct statx info;
  const bool has_file = stat_path(place.file.text, &info) == 0;
  return process.fd() >= 0 && belongs_to(pid, process.fd(), place, has_file ? &info : nullptr);
}

bool has_members(const CellPlace& place, i32 except) {
  struct Search {
    i32 except;
    bool is_found;
  } search = {except, false};
  const int error = for_each_member(
      place,
      [](void* context, i32 pid) {
        auto* wanted = static_cast<Search*>(context);
        wanted->is_found = pid != wanted->except;
        return !wanted->is_found;
      },
      &search);
  return search.is_found || error != 0;
}

bool sees_all_members(const CellPlace& place) {
  const u64 own = own_pid_namespace();
  const u64 maker = read_header(place.file.text).pid_namespace;
  return is_proc_of_own_namespace() && (own == kFirstPidNamespace || own == maker);
}

bool is_namespace_mounted(const CellPlace& place) {
  if (read_header(place.file.text).was_mounted == 0) return false;
  // A line's fourth field is the file's path in its filesystem: no other has a cell's name in it.
  char wanted[kCellNameMax + 8] = "/";
  char* end = wanted + 1;
  for (const char* part : {name_of_cell(place), "/", kNamespaceFile, " "}) {
    while (*part != '\0') *end++ = *part++;
  }
  const u64 length = static_cast<u64>(end - wanted);
  bool is_found = false;
  for_each_process([&](i32, long process) {
    u64 matched = 0;
    read_bytes(process, "mountinfo", [&](char c) {
      matched = c == wanted[matched] ? matched + 1 : c == wanted[0] ? 1 : 0;
      is_found = matched == length;
      return !is_found;
    });
    return !is_found;
  });
  return is_found;
}

// True if somebody keeps the namespace: see keep_namespace(). The lock is kept to the end, as the
// folder's.
static bool is_kept_open(const CellPlace& place) {
  const long file = open_at(AT_FDCWD, NamespaceFile(place).path.text, O_RDONLY);
  return file >= 0 && sys::call(SYS_flock, file, LOCK_EX | LOCK_NB) == -EWOULDBLOCK;
}

void leave_orphaned_cell(const CellPlace& place, i32 own_pid, u64* keeper) {
  // The parent's own end comes later, as a rule.
  if (is_member(place, static_cast<i32>(sys::call(SYS_getppid)))) return;
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
  let_go_of_namespace(keeper);
  if (sees_all_members(place) && !is_kept_open(place) && !has_members(place, own_pid) &&
      !is_namespace_mounted(place)) {
    (void)remove_cell(place);
  }
}

}  // namespace ipcell
