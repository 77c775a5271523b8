// The inode numbers of views in libc's structs.

// In a 32-bit process `struct stat` has to be the small one beside `struct stat64`.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include "interpose/views.h"

#include "core/cell/namespace_cell.h"

#include <sys/stat.h>

#include "core/ipc/sysctl.h"
#include "interpose/time64.h"

namespace ipcell {

namespace {

// Of a file without a name, in the mode that open_view() gives it.
constexpr bool is_snapshot(unsigned long links, unsigned mode) {
  return links == 0 && mode == (S_IFREG | 0444);
}

// The mode of the view, where the twin's is another.
template <class Mode>
void put_mode(Mode& mode, const View& view) {
  if (view.kind != ViewKind::Sysctl) return;
  mode = static_cast<Mode>((mode & ~07777u) | sysctl_at(view.sysctl()).mode);
}

template <class Status, class Buffer>
Status& as(Buffer* buffer) {
  return *reinterpret_cast<Status*>(buffer);
}

}  // namespace

void put_inode(Stat* buffer, const View& view) {
  auto& status = as<struct stat>(buffer);
  status.st_ino = view.inode;
  put_mode(status.st_mode, view);
}
void put_inode(Stat64* buffer, const View& view) {
  auto& status = as<struct stat64>(buffer);
  status.st_ino = view.inode;
  put_mode(status.st_mode, view);
}
void put_inode(Statx* buffer, const View& view) {
  auto& status = as<struct statx>(buffer);
  status.stx_ino = view.inode;
  put_mode(status.stx_mode, view);
}

void put_inode(Stat* buffer, u64 inode) {
  as<struct stat>(buffer).st_ino = static_cast<ino_t>(inode);
}
void put_inode(Stat64* buffer, u64 inode) { as<struct stat64>(buffer).st_ino = inode; }
void put_inode(Statx* buffer, u64 inode) { as<struct statx>(buffer).stx_ino = inode; }

bool is_like_namespace(const Stat* buffer) {
  const auto& status = as<const struct stat>(buffer);
  return is_like_namespace_file(status.st_mode, static_cast<u64>(status.st_size), status.st_mtime);
}
bool is_like_namespace(const Stat64* buffer) {
  const auto& status = as<const struct stat64>(buffer);
  return is_like_namespace_file(status.st_mode, static_cast<u64>(status.st_size), status.st_mtime);
}
bool is_like_namespace(const Statx* buffer) {
  const auto& status = as<const struct statx>(buffer);
  return is_like_namespace_file(status.stx_mode, status.stx_size, status.stx_mtime.tv_sec);
}

bool is_like_snapshot(const Stat* buffer) {
  const auto& status = as<const struct stat>(buffer);
  return is_snapshot(status.st_nlink, status.st_mode);
}
bool is_like_snapshot(const Stat64* buffer) {
  const auto& status = as<const struct stat64>(buffer);
  return is_snapshot(status.st_nlink, status.st_mode);
}
bool is_like_snapshot(const Statx* buffer) {
  const auto& status = as<const struct statx>(buffer);
  return is_snapshot(status.stx_nlink, status.stx_mode);
}

#if defined(__i386__)
void put_inode(StatTime64* buffer, const View& view) {
  buffer->st_ino = view.inode;
  put_mode(buffer->st_mode, view);
}
void put_inode(StatTime64* buffer, u64 inode) { buffer->st_ino = inode; }
bool is_like_namespace(const StatTime64* buffer) {
  return is_like_namespace_file(buffer->st_mode, static_cast<u64>(buffer->st_size),
                                buffer->st_mtim.tv_sec);
}
bool is_like_snapshot(const StatTime64* buffer) {
  return is_snapshot(buffer->st_nlink, buffer->st_mode);
}
#endif

}  // namespace ipcell
