// /proc/PID/ns/ipc: which paths and descriptors are it.
//
// Its twin is /proc/PID/ns/mnt, which every kernel has: what a call says of that one, errors
// included, it says of this one; only the number differs. An open one is the file `ns` in the
// cell's folder; see core/cell/namespace_cell.h.
//
// A path is compared as text, as a view's (views.h).
#pragma once

#include <string.h>

#include "core/ipc/text.h"
#include "interpose/views.h"

namespace ipcell {

class NamespacePath {
 public:
  NamespacePath(int dirfd, const char* path) {
    if (may_be(path)) [[unlikely]]
      find(dirfd, path);
  }
  NamespacePath(const NamespacePath&) = delete;
  NamespacePath& operator=(const NamespacePath&) = delete;

  // False for processes that are in no cell as well: theirs is the kernel's.
  explicit operator bool() const { return pid_ != 0; }
  // The twin: what to ask libc or the kernel about.
  const char* path() const { return twin_; }
  i32 pid() const { return pid_; }
  u64 number() const { return number_; }

 private:
  static bool may_be(const char* path) {
    if (path == nullptr || (path[0] == '/' && strncmp(path, "/proc/", 6) != 0)) return false;
    const std::size_t length = strlen(path);
    return length >= 3 && memcmp(path + length - 3, "ipc", 3) == 0;
  }
  void find(int dirfd, const char* path);

  i32 pid_ = 0;
  u64 number_ = 0;
  char twin_[48];
};

// open(2) of it: a descriptor or -errno.
long open_namespace(const NamespacePath& at, int flags);
// mount(2) of it on `path`, with MS_BIND: 0 or -errno.
long mount_namespace(const NamespacePath& at, const char* path, u64 flags);
// "ipc:[NUMBER]".
void put_namespace(TextWriter& out, u64 number);
// readlink(2) of it, the twin's having succeeded: the length.
long read_namespace_link(u64 number, char* text, std::size_t size);
// True if it was opened with O_PATH: what calls on it do is refused with EBADF, by the kernel.
bool is_only_path(int fd);
// The number of the namespace that `fd` stands for; 0 if it stands for none.
u64 number_of_descriptor(int fd);
// What readlink(2) tells of a path that is not ours may be the file in the cell's folder: its
// namespace's number, or 0.
u64 number_of_link(const char* text, std::size_t length);

// True if ioctl(2) of this number is about namespaces: ioctl_ns(2).
constexpr bool is_namespace_request(unsigned long request) { return (request >> 8 & 0xff) == 0xb7; }
// Its result or -errno; 1: `fd` is none of ours.
long ask_namespace(int fd, unsigned long request, long* result);

}  // namespace ipcell
