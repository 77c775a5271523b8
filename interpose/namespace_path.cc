#include "interpose/namespace_path.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/sysmacros.h>

#include "core/base/file.h"
#include "core/cell/cell_members.h"
#include "core/ipc/text.h"
#include "interpose/namespaces.h"
#include "interpose/normal_path.h"

namespace ipcell {

namespace {

constexpr char kOwnTwin[] = "/proc/self/ns/mnt";

i32 own_pid() { return static_cast<i32>(sys::call(SYS_getpid)); }

// Reads a component of a path, and moves behind it and its slash.
struct Component {
  const char* text;
  std::size_t length;

  Component(const char*& at, const char* end) : text(at) {
    while (at < end && *at != '/') ++at;
    length = static_cast<std::size_t>(at - text);
    if (at < end) ++at;
  }
  bool is(const char* name) const {
    return strlen(name) == length && memcmp(name, text, length) == 0;
  }
  // A decimal number, or 0.
  i32 number() const {
    constexpr std::size_t kMost = 9;
    i32 value = 0;
    for (std::size_t n = 0; n < length; ++n) {
      if (text[n] < '0' || text[n] > '9' || n == kMost) return 0;
      value = value * 10 + (text[n] - '0');
    }
    return value;
  }
};

// The process or thread that a path is about, 0 if it is no /proc/PID/ns/ipc.
i32 process_of_path(const char* text, std::size_t length) {
  const char* at = text;
  const char* const end = text + length;
  if (!Component(at, end).is("") || !Component(at, end).is("proc")) return 0;
  const Component who(at, end);
  i32 pid = who.number();
  if (who.is("self")) pid = own_pid();
  if (who.is("thread-self")) pid = static_cast<i32>(sys::call(SYS_gettid));
  Component next(at, end);
  if (next.is("task")) {
    pid = Component(at, end).number();
    next = Component(at, end);
  }
  return next.is("ns") && Component(at, end).is("ipc") && at == end ? pid : 0;
}

u64 number_of_cell(const ProcessCell& known) { return number_of_namespace(known.cell.inode()); }

u64 number_of_place(const CellPlace& place) {
  struct statx info;
  return stat_path(place.file.text, &info) == 0 ? number_of_namespace(info.stx_ino) : 0;
}

}  // namespace

bool namespace_of_process(i32 pid, CellPlace* place, u64* number) {
  if (!has_cell()) return false;
  const bool is_own_thread = pid == sys::call(SYS_gettid);
  if (is_own_thread || pid == own_pid()) {
    const u32 home = is_own_thread ? home_of_thread() : home_of_main_thread();
    const ProcessCell& own = g_process_cells[home != kNoCell ? home : 0];
    memcpy(place, &own.place, sizeof *place);
    *number = number_of_cell(own);
    return true;
  }
  u64 inode;
  if (!find_namespace_of(current_cell().place.base.text, pid, place, &inode)) return false;
  *number = number_of_namespace(inode);
  return true;
}

bool namespace_of_descriptor(int fd, CellPlace* place) {
  struct statx info;
  constexpr u32 kWanted = STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_INO;
  if (fd < 0 ||
      sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, kWanted, sys::arg(&info)) != 0 ||
      !is_like_namespace_file(info.stx_mode, info.stx_size, info.stx_mtime.tv_sec)) {
    return false;
  }
  if (place_of_file(fd, kNamespaceFile, place)) return true;
  // It may have been mounted elsewhere.
  return has_cell() &&
         find_namespace_file(current_cell().place.base.text,
                             makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino, place);
}

void NamespacePath::find(int dirfd, const char* path) {
  NormalPath whole;
  if (path[0] != '/' && !whole.start_at(dirfd)) return;
  for (const char* at = path; *at != '\0';) {
    const char* const name = at + strspn(at, "/");
    const std::size_t length = strcspn(name, "/");
    if (length != 0 && !whole.push(name, length)) return;
    at = name + length;
  }
  const i32 pid = process_of_path(whole.text(), whole.length());
  CellPlace place;
  if (pid <= 0 || !namespace_of_process(pid, &place, &number_)) return;
  // The same path but for its last part.
  if (whole.length() >= sizeof twin_) return;
  memcpy(twin_, whole.text(), whole.length());
  memcpy(twin_ + whole.length() - 3, "mnt", sizeof "mnt");
  pid_ = pid;
}

long open_namespace(const NamespacePath& at, int flags) {
  // It has no folder, is not written to, and cannot be made.
  const Descriptor twin(sys::call(SYS_openat, AT_FDCWD, sys::arg(at.path()), flags | O_CLOEXEC, 0));
  if (twin.fd() < 0) return twin.fd();
  CellPlace place;
  u64 number;
  if (!namespace_of_process(at.pid(), &place, &number)) return -ENOENT;
  return open_namespace_file(place, flags);
}

long mount_namespace(const NamespacePath& at, const char* path, u64 flags) {
  CellPlace place;
  u64 number;
  if (!namespace_of_process(at.pid(), &place, &number)) return -ENOENT;
  return mount_namespace_file(place, path, flags);
}

void put_namespace(TextWriter& out, u64 number) {
  out.put("ipc:[");
  out.put_unsigned(number, 0);
  out.put_char(']');
}

long read_namespace_link(u64 number, char* text, std::size_t size) {
  char shown[32];
  TextWriter out(shown, sizeof shown);
  put_namespace(out, number);
  const std::size_t count = out.used() < size ? out.used() : size;
  memcpy(text, shown, count);
  return static_cast<long>(count);
}

bool is_only_path(int fd) {
  const long flags = sys::call(SYS_fcntl, fd, F_GETFL);
  return flags >= 0 && (flags & O_PATH) != 0;
}

u64 number_of_descriptor(int fd) {
  CellPlace place;
  return namespace_of_descriptor(fd, &place) ? number_of_place(place) : 0;
}

u64 number_of_link(const char* text, std::size_t length) {
  constexpr std::size_t kName = 2;
  CellPath path;
  if (length <= kName || length >= sizeof path.text || text[length - kName - 1] != '/' ||
      memcmp(text + length - kName, kNamespaceFile, kName) != 0) {
    return 0;
  }
  memcpy(path.text, text, length);
  path.text[length] = '\0';
  CellPlace place;
  struct statx info;
  if (!place_of_path(path.text, kNamespaceFile, &place) ||
      sys::call(SYS_statx, AT_FDCWD, sys::arg(path.text), AT_SYMLINK_NOFOLLOW,
                STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME, sys::arg(&info)) != 0 ||
      !is_like_namespace_file(info.stx_mode, info.stx_size, info.stx_mtime.tv_sec)) {
    return 0;
  }
  return number_of_place(place);
}

// Linux: fs/nsfs.c:ns_ioctl()
long ask_namespace(int fd, unsigned long request, long* result) {
  if (number_of_descriptor(fd) == 0 || is_only_path(fd)) return 1;
  switch (request) {
    case NS_GET_NSTYPE: *result = CLONE_NEWIPC; break;
    // DIVERGES: the caller's own, whoever made the namespace.
    case NS_GET_USERNS: {
      const Descriptor own(
          sys::call(SYS_openat, AT_FDCWD, sys::arg(kOwnTwin), O_RDONLY | O_CLOEXEC, 0));
      *result = own.fd() < 0 ? own.fd() : sys::call(SYS_ioctl, own.fd(), NS_GET_USERNS);
      // The user namespace of the caller's mount namespace may be an outer one.
      if (*result == -EPERM)
        *result = sys::call(SYS_openat, AT_FDCWD, sys::arg("/proc/self/ns/user"),
                            O_RDONLY | O_CLOEXEC, 0);
      break;
    }
    case NS_GET_PARENT:
    case NS_GET_OWNER_UID: *result = -EINVAL; break;
    default: *result = -ENOTTY;
  }
  return 0;
}

}  // namespace ipcell
