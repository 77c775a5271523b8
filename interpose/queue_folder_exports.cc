// Libc's entries that list folders, tell of the current one, and of filesystems, for /dev/mqueue;
// queue_path.h tells how. All other paths are passed on as they are.
//
// No header that declares one of these functions may come in here: their attributes (nonnull) are
// for callers.
//
// Exported (queue_exports.list has them, too): the functions at the file's end.
#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "interpose/posix_names.h"
#include "interpose/proc_folder.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/queue_stat.h"
#include "interpose/real.h"

struct __dirstream;  // DIR
extern "C" int dirfd(struct __dirstream* stream);
extern "C" void free(void* memory);

namespace {

using namespace ipcell;
using Kind = QueuePathKind;
using Stream = struct __dirstream;

// scandir(3)'s list, and its two functions, which are libc's business.
using Scan = int(const char*, void*, void*, void*);
using ScanAt = int(int, const char*, void*, void*, void*);
template <class Buffer>
using StatfsPath = int(const char*, Buffer*);
template <class Buffer>
using StatfsFd = int(int, Buffer*);

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(Stream*(const char*), opendir);
IPCELL_REAL_AS(int(Stream*), closedir);
IPCELL_REAL_AS(Scan, scandir);
IPCELL_REAL_AS(Scan, scandir64);
IPCELL_REAL_AS(ScanAt, scandirat);
IPCELL_REAL_AS(ScanAt, scandirat64);
IPCELL_REAL_AS(int(const char*), chdir);
IPCELL_REAL_AS(int(int), fchdir);
IPCELL_REAL_AS(char*(char*, unsigned long), getcwd);
IPCELL_REAL_AS(char*(char*, unsigned long, unsigned long), __getcwd_chk);
IPCELL_REAL_AS(char*(), get_current_dir_name);
IPCELL_REAL_AS(char*(const char*, char*), realpath);
IPCELL_REAL_AS(char*(const char*, char*, unsigned long), __realpath_chk);
IPCELL_REAL_AS(char*(const char*), canonicalize_file_name);
IPCELL_REAL_AS(StatfsPath<Statfs>, statfs);
IPCELL_REAL_AS(StatfsPath<Statfs64>, statfs64);
IPCELL_REAL_AS(StatfsFd<Statfs>, fstatfs);
IPCELL_REAL_AS(StatfsFd<Statfs64>, fstatfs64);
IPCELL_REAL_AS(StatfsPath<Statvfs>, statvfs);
IPCELL_REAL_AS(StatfsPath<Statvfs64>, statvfs64);
IPCELL_REAL_AS(StatfsFd<Statvfs>, fstatvfs);
IPCELL_REAL_AS(StatfsFd<Statvfs64>, fstatvfs64);
#undef IPCELL_REAL_AS

// Those that are async-signal-safe, or called between fork(2) and exec(2).
__attribute__((constructor)) void resolve_symbols() {
  RealSymbol* const symbols[] = {&real_chdir, &real_fchdir, &real_opendir, &real_closedir};
  for (RealSymbol* symbol : symbols) symbol->resolve();
}

void list_if_folder(const QueuePath& at) {
  Task* const task = at.is(Kind::Folder) ? current_task() : nullptr;
  if (task != nullptr) list_queues(*task, at.mount());
}

// `scan(path)` is the real call.
template <class ScanPath>
int scan_with(int dirfd, const char* path, ScanPath scan) {
  expect_mounts();
  const QueuePath at(dirfd, path);
  list_if_folder(at);
  return scan(at.path());
}

// What libc tells of the current folder: `path`, in `out` of `size` bytes, or allocated if that is
// nullptr.
char* show_current_folder(char* path, char* out, unsigned long size) {
  static constexpr char kProc[] = "/proc/sysvipc";
  if (path == nullptr) return nullptr;
  std::size_t length = strlen(path);
  const QueueMount* const mount = played_mount(path, length);
  if (mount == nullptr && !plays_proc_folder(path, length)) return path;
  const char* const shown = mount != nullptr ? mount->path : kProc;
  length = strlen(shown);
  if (size != 0 && length >= size) {
    if (out == nullptr) free(path);
    to_libc(-ERANGE);
    return nullptr;
  }
  if (out != nullptr) return static_cast<char*>(memcpy(out, shown, length + 1));
  free(path);
  return strdup(shown);
}

// The shortest path to what `at` tells of; `real(path)` is the real call.
template <class RealCall>
char* resolve_with(const QueuePath& at, char* resolved, RealCall real) {
  const bool is_there = at.is(Kind::Folder) || (at.is(Kind::Queue) && at.exists());
  if (!is_there) return real(at.path());
  char text[kNormalPathRoom + 1 + kMqueueNameRoom];
  const QueueMount& mount = at.mount();
  memcpy(text, mount.path, mount.length + 1);
  if (at.is(Kind::Queue)) {
    text[mount.length] = '/';
    memcpy(text + mount.length + 1, at.name(), strlen(at.name()) + 1);
  }
  return resolved != nullptr ? static_cast<char*>(memcpy(resolved, text, strlen(text) + 1))
                             : strdup(text);
}

// ------------------------------------------------------------------------ filesystems

// The temporary folder is a better place than a /dev/shm that may not be there, for programs that
// look how much room there is: Python's multiprocessing.
bool has_no_room(const char* path) {
  constexpr char kShm[] = "/dev/shm";
  constexpr std::size_t kLength = sizeof kShm - 1;
  return path != nullptr && strncmp(path, kShm, kLength) == 0 &&
         (path[kLength] == '\0' || strcmp(path + kLength, "/") == 0) && has_names_in_cell();
}

template <class Buffer>
int statfs_with(Real<StatfsPath<Buffer>>& real, const char* path, Buffer* buffer) {
  if (has_no_room(path)) [[unlikely]] {
    int result = real(path, buffer);
    if (result != 0) result = real(first_cell_place().folder.text, buffer);
    if (result == 0) show_no_room(buffer);
    return result;
  }
  const QueuePath at(AT_FDCWD, path);
  const int result = real(at.path(), buffer);
  if (result == 0 && (at.is_queue() || at.is(Kind::Folder))) show_queue_filesystem(buffer);
  return result;
}

template <class Buffer>
int fstatfs_with(Real<StatfsFd<Buffer>>& real, int fd, Buffer* buffer) {
  const int result = real(fd, buffer);
  if (result == 0 && (is_known_folder(fd) || is_queue_descriptor(fd)))
    show_queue_filesystem(buffer);
  return result;
}

}  // namespace

#define IPCELL_EXPORT __attribute__((visibility("default")))

extern "C" {

IPCELL_EXPORT Stream* opendir(const char* path) {
  expect_mounts();
  const QueuePath at(AT_FDCWD, path);
  list_if_folder(at);
  Stream* const stream = real_opendir(at.path());
  if (stream != nullptr && at.is(Kind::Folder)) remember_folder(dirfd(stream));
  return stream;
}
IPCELL_EXPORT int closedir(Stream* stream) {
  const Closing closing(stream != nullptr ? dirfd(stream) : -1);
  return real_closedir(stream);
}
IPCELL_EXPORT int scandir(const char* path, void* list, void* filter, void* compare) {
  return scan_with(AT_FDCWD, path,
                   [&](const char* real) { return real_scandir(real, list, filter, compare); });
}
IPCELL_EXPORT int scandir64(const char* path, void* list, void* filter, void* compare) {
  return scan_with(AT_FDCWD, path,
                   [&](const char* real) { return real_scandir64(real, list, filter, compare); });
}
IPCELL_EXPORT int scandirat(int dirfd, const char* path, void* list, void* filter, void* compare) {
  return scan_with(dirfd, path, [&](const char* real) {
    return real_scandirat(dirfd, real, list, filter, compare);
  });
}
IPCELL_EXPORT int scandirat64(int dirfd, const char* path, void* list, void* filter,
                              void* compare) {
  return scan_with(dirfd, path, [&](const char* real) {
    return real_scandirat64(dirfd, real, list, filter, compare);
  });
}

IPCELL_EXPORT int chdir(const char* path) {
  expect_mounts();
  const QueuePath at(AT_FDCWD, path);
  const int result = real_chdir(at.path());
  forget_current_folder();
  return result;
}
IPCELL_EXPORT int fchdir(int fd) {
  const int result = real_fchdir(fd);
  forget_current_folder();
  return result;
}
IPCELL_EXPORT char* getcwd(char* out, unsigned long size) {
  return show_current_folder(real_getcwd(out, size), out, size);
}
IPCELL_EXPORT char* __getcwd_chk(char* out, unsigned long size, unsigned long room) {
  return show_current_folder(real___getcwd_chk(out, size, room), out, size);
}
IPCELL_EXPORT char* get_current_dir_name() {
  return show_current_folder(real_get_current_dir_name(), nullptr, 0);
}

IPCELL_EXPORT char* realpath(const char* path, char* resolved) {
  const QueuePath at(AT_FDCWD, path);
  return resolve_with(at, resolved,
                      [&](const char* real) { return real_realpath(real, resolved); });
}
IPCELL_EXPORT char* __realpath_chk(const char* path, char* resolved, unsigned long room) {
  const QueuePath at(AT_FDCWD, path);
  return resolve_with(at, resolved,
                      [&](const char* real) { return real___realpath_chk(real, resolved, room); });
}
IPCELL_EXPORT char* canonicalize_file_name(const char* path) {
  const QueuePath at(AT_FDCWD, path);
  return resolve_with(at, nullptr,
                      [](const char* real) { return real_canonicalize_file_name(real); });
}

IPCELL_EXPORT int statfs(const char* path, Statfs* buffer) {
  return statfs_with(real_statfs, path, buffer);
}
IPCELL_EXPORT int statfs64(const char* path, Statfs64* buffer) {
  return statfs_with(real_statfs64, path, buffer);
}
IPCELL_EXPORT int fstatfs(int fd, Statfs* buffer) { return fstatfs_with(real_fstatfs, fd, buffer); }
IPCELL_EXPORT int fstatfs64(int fd, Statfs64* buffer) {
  return fstatfs_with(real_fstatfs64, fd, buffer);
}
IPCELL_EXPORT int statvfs(const char* path, Statvfs* buffer) {
  return statfs_with(real_statvfs, path, buffer);
}
IPCELL_EXPORT int statvfs64(const char* path, Statvfs64* buffer) {
  return statfs_with(real_statvfs64, path, buffer);
}
IPCELL_EXPORT int fstatvfs(int fd, Statvfs* buffer) {
  return fstatfs_with(real_fstatvfs, fd, buffer);
}
IPCELL_EXPORT int fstatvfs64(int fd, Statvfs64* buffer) {
  return fstatfs_with(real_fstatvfs64, fd, buffer);
}

}  // extern "C"
