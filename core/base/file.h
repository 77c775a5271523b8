// Files and texts by raw system calls, for those who open a cell.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include "core/base/sys.h"

namespace ipcell {

inline bool starts_with(const char* text, const char* prefix) {
  for (; *prefix != '\0'; ++text, ++prefix) {
    if (*text != *prefix) return false;
  }
  return true;
}
inline bool is_equal(const char* a, const char* b) {
  return starts_with(a, b) && a[__builtin_strlen(b)] == '\0';
}

// A descriptor for the time of a function.
class Descriptor {
 public:
  explicit Descriptor(long fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) sys::call(SYS_close, fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  long fd() const { return fd_; }

 private:
  long fd_;
};

inline long open_at(long folder, const char* path, int flags) {
  return sys::call(SYS_openat, folder, sys::arg(path),
                   flags | O_CLOEXEC | O_NOFOLLOW | sys::kLargeFile, 0);
}

// statx(2), because its struct is the same on all machines.
inline long stat_at(long folder, const char* path, struct statx* info) {
  return sys::call(SYS_statx, folder, sys::arg(path), AT_SYMLINK_NOFOLLOW,
                   STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO, sys::arg(info));
}
inline long stat_path(const char* path, struct statx* info) {
  return stat_at(AT_FDCWD, path, info);
}

struct Entry {  // struct linux_dirent64
  u64 inode;
  i64 offset;
  u16 size;
  u8 type;
  char name[5];
};

// Calls `visit` for each entry until it returns false. 0 or -errno.
template <class Visit>
long for_each_entry(long folder, Visit visit) {
  alignas(8) char buffer[2048];
  for (;;) {
    const long size = sys::call(SYS_getdents64, folder, sys::arg(buffer), sizeof buffer);
    if (size <= 0) return size;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->size;
      if (is_equal(entry->name, ".") || is_equal(entry->name, "..")) continue;
      if (!visit(entry->name)) return 0;
    }
  }
}

}  // namespace ipcell
