// Libc's entries that open files and ask for their status. Each looks whether the path is a view's
// (views.h) or leads into /dev/mqueue (queue_path.h), and passes all others on as they are.
//
// No header that declares one of these functions may come in here: their attributes (nonnull) and
// their redirections (_FILE_OFFSET_BITS, _FORTIFY_SOURCE) are for callers.
//
// Exported (view_exports.list has the same):
//
//   __fxstat
//   __fxstat64
//   __fxstatat
//   __fxstatat64
//   __lxstat
//   __lxstat64
//   __open
//   __open64
//   __open64_2
//   __open_2
//   __openat64_2
//   __openat_2
//   __xstat
//   __xstat64
//   creat
//   creat64
//   fopen
//   fopen64
//   freopen
//   freopen64
//   fstat
//   fstat64
//   fstatat
//   fstatat64
//   lstat
//   lstat64
//   open
//   open64
//   openat
//   openat64
//   stat
//   stat64
//   statx
#include <cstdarg>

#include <cerrno>

#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "core/ipc/sysctl.h"
#include "interpose/namespace_path.h"
#include "interpose/proc_list.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/queue_stat.h"
#include "interpose/real.h"
#include "interpose/sysctl_file.h"
#include "interpose/views.h"

struct _IO_FILE;  // FILE
extern "C" int fileno(_IO_FILE* stream) noexcept;

namespace {

using namespace ipcell;
using File = _IO_FILE;

using Open = int(const char*, int, ...);
using OpenAt = int(int, const char*, int, ...);
using OpenChecked = int(const char*, int);
using OpenAtChecked = int(int, const char*, int);
using Creat = int(const char*, unsigned);
using Fopen = File*(const char*, const char*);
using Freopen = File*(const char*, const char*, File*);
template <class Buffer>
using StatPath = int(const char*, Buffer*);
template <class Buffer>
using StatFd = int(int, Buffer*);
template <class Buffer>
using StatAt = int(int, const char*, Buffer*, int);
// The first argument tells which struct stat the caller was compiled for.
template <class Buffer>
using OldStatPath = int(int, const char*, Buffer*);
template <class Buffer>
using OldStatFd = int(int, int, Buffer*);
template <class Buffer>
using OldStatAt = int(int, int, const char*, Buffer*, int);

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(Open, open);
IPCELL_REAL_AS(Open, open64);
IPCELL_REAL_AS(Open, __open);
IPCELL_REAL_AS(Open, __open64);
IPCELL_REAL_AS(OpenAt, openat);
IPCELL_REAL_AS(OpenAt, openat64);
IPCELL_REAL_AS(OpenChecked, __open_2);
IPCELL_REAL_AS(OpenChecked, __open64_2);
IPCELL_REAL_AS(OpenAtChecked, __openat_2);
IPCELL_REAL_AS(OpenAtChecked, __openat64_2);
IPCELL_REAL_AS(Creat, creat);
IPCELL_REAL_AS(Creat, creat64);
IPCELL_REAL_AS(Fopen, fopen);
IPCELL_REAL_AS(Fopen, fopen64);
IPCELL_REAL_AS(Freopen, freopen);
IPCELL_REAL_AS(Freopen, freopen64);
IPCELL_REAL_AS(File*(int, const char*), fdopen);
IPCELL_REAL_AS(StatPath<Stat>, stat);
IPCELL_REAL_AS(StatPath<Stat64>, stat64);
IPCELL_REAL_AS(StatPath<Stat>, lstat);
IPCELL_REAL_AS(StatPath<Stat64>, lstat64);
IPCELL_REAL_AS(StatFd<Stat>, fstat);
IPCELL_REAL_AS(StatFd<Stat64>, fstat64);
IPCELL_REAL_AS(StatAt<Stat>, fstatat);
IPCELL_REAL_AS(StatAt<Stat64>, fstatat64);
IPCELL_REAL_AS(OldStatPath<Stat>, __xstat);
IPCELL_REAL_AS(OldStatPath<Stat64>, __xstat64);
IPCELL_REAL_AS(OldStatPath<Stat>, __lxstat);
IPCELL_REAL_AS(OldStatPath<Stat64>, __lxstat64);
IPCELL_REAL_AS(OldStatFd<Stat>, __fxstat);
IPCELL_REAL_AS(OldStatFd<Stat64>, __fxstat64);
IPCELL_REAL_AS(OldStatAt<Stat>, __fxstatat);
IPCELL_REAL_AS(OldStatAt<Stat64>, __fxstatat64);
IPCELL_REAL_AS(int(int, const char*, int, unsigned, Statx*), statx);
#if defined(__i386__)
IPCELL_REAL_AS(StatPath<StatTime64>, __stat64_time64);
IPCELL_REAL_AS(StatPath<StatTime64>, __lstat64_time64);
IPCELL_REAL_AS(StatFd<StatTime64>, __fstat64_time64);
IPCELL_REAL_AS(StatAt<StatTime64>, __fstatat64_time64);
#endif
#undef IPCELL_REAL_AS

// Those that programs call in handlers, or between fork(2) and exec(2); the others are looked up at
// their first call, for each takes a start some of its time.
RealSymbol* const kSymbols[] = {
    &real_open,    &real_open64,  &real_openat,    &real_openat64, &real_creat,
    &real_stat,    &real_stat64,  &real_lstat,     &real_lstat64,  &real_fstat,
    &real_fstat64, &real_fstatat, &real_fstatat64,
};

__attribute__((constructor)) void resolve_symbols() {
  for (RealSymbol* symbol : kSymbols) symbol->resolve();
}

// ------------------------------------------------------------------------ opening

constexpr int kOTmpfile = 020000000;  // O_TMPFILE without O_DIRECTORY

constexpr bool takes_mode(int flags) { return (flags & (O_CREAT | kOTmpfile)) != 0; }

int open_as_int(const ViewPath& at, int flags) {
  return static_cast<int>(to_libc(open_view(at, flags)));
}

// True of most absolute paths: neither QueuePath nor ViewPath would look further.
bool is_far_away(const char* path) {
  if (path == nullptr || path[0] != '/' || has_mounts()) return false;
  return path[1] != 'd' && path[1] != 'p' && path[1] != '/' && path[1] != '.';
}

constexpr u32 letters(char a, char b, char c) {
  return static_cast<u32>(static_cast<u8>(a)) << 16 | static_cast<u32>(static_cast<u8>(b)) << 8 |
         static_cast<u8>(c);
}

// True if what the kernel opens there may have to be another file: a list of /proc/PID, or a view
// that was not seen in the path. All that other paths cost is a look at their last three letters.
bool may_need_change(const char* path) {
  const std::size_t length = path != nullptr ? strlen(path) : 0;
  if (length < 3) return false;
  const char* const end = path + length;
  switch (letters(end[-3], end[-2], end[-1])) {
    case letters('a', 'p', 's'): return true;
    // mounts, mountinfo, mtab
    case letters('n', 't', 's'):
    case letters('n', 'f', 'o'):
    case letters('t', 'a', 'b'): return has_mounts();
    // msg, sem, shm, msgmax and its like, msgmnb, msgmni, shmall, shm_rmid_forced, msg_default
    case letters('m', 's', 'g'):
    case letters('s', 'e', 'm'):
    case letters('s', 'h', 'm'):
    case letters('m', 'a', 'x'):
    case letters('m', 'n', 'b'):
    case letters('m', 'n', 'i'):
    case letters('a', 'l', 'l'):
    case letters('c', 'e', 'd'):
    case letters('u', 'l', 't'): return ends_in_view_name(path);
    default: return false;
  }
}

// The kernel has opened `fd` at the path: what the program gets in its place, or -errno.
long change_opened(int fd, const char* path, int flags) {
  const View* const view = view_of_opened(fd, path);
  if (view == nullptr) {
    show_list(fd, flags);
    return fd;
  }
  sys::call(SYS_close, fd);
  return open_view(ViewPath(AT_FDCWD, view->path), flags);
}

// open(2) of a view, or of something in /dev/mqueue; else `real(path)`, the real call.
template <class RealOpen>
int open_with(int dirfd, const char* path, int flags, unsigned mode, RealOpen real) {
  if (!is_far_away(path)) {
    const QueuePath queue(dirfd, path);
    if (queue) [[unlikely]]
      return static_cast<int>(to_libc(open_queue_path(queue, flags, mode)));
    const NamespacePath ipc(dirfd, path);
    if (ipc) [[unlikely]]
      return static_cast<int>(to_libc(open_namespace(ipc, flags)));
    const ViewPath at(dirfd, path);
    if (at) return open_as_int(at, flags);
  }
  const int fd = real(path);
  if (!may_need_change(path) || fd < 0) [[likely]]
    return fd;
  return static_cast<int>(to_libc(change_opened(fd, path, flags)));
}

// What fopen(3) opens there: a descriptor or -errno.
long open_to_change(const char* path, int flags) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(path), flags, 0);
  return fd >= 0 ? change_opened(static_cast<int>(fd), path, flags) : fd;
}

// The flags of a mode of fopen(3), or -1 if it is none.
int flags_of_mode(const char* mode) {
  int flags;
  switch (*mode) {
    case 'r': flags = O_RDONLY; break;
    case 'w': flags = O_WRONLY | O_CREAT | O_TRUNC; break;
    case 'a': flags = O_WRONLY | O_CREAT | O_APPEND; break;
    default: return -1;
  }
  // Glibc: libio/fileops.c:_IO_new_file_fopen() reads as many.
  for (int i = 1; i < 7 && mode[i] != '\0' && mode[i] != ','; ++i) {
    switch (mode[i]) {
      case '+': flags = (flags & ~O_ACCMODE) | O_RDWR; break;
      case 'x': flags |= O_EXCL; break;
      case 'e': flags |= O_CLOEXEC; break;
      default: break;
    }
  }
  return flags;
}

// What fopen(3) opens of a view, or of something in /dev/mqueue: a descriptor or -errno. False if
// the path is for libc.
bool open_text_at(const char* path, int flags, long* fd) {
  constexpr unsigned kMode = 0666;
  if (flags < 0) return false;
  const QueuePath queue(AT_FDCWD, path);
  if (queue) [[unlikely]] {
    *fd = open_queue_text(queue, flags, kMode);
    return true;
  }
  const ViewPath at(AT_FDCWD, path);
  if (at) {
    *fd = open_view(at, flags);
    return true;
  }
  if ((flags & O_CREAT) != 0 || !may_need_change(path)) [[likely]]
    return false;
  *fd = open_to_change(path, flags);
  return true;
}

void close_opened(long fd) {
  const Closing closing(static_cast<int>(fd));
  sys::call(SYS_close, fd);
}

// Neither has wide characters, so ",ccs=" is left aside.
File* fopen_with(Real<Fopen>& real, const char* path, const char* mode) {
  long fd;
  if (!open_text_at(path, flags_of_mode(mode), &fd)) return real(path, mode);
  if (to_libc(fd) < 0) return nullptr;
  const DescriptorEntry* const sysctl = known_sysctl(static_cast<int>(fd));
  File* const stream = sysctl != nullptr && sysctl->sysctl.access != O_RDONLY
                           ? open_sysctl_stream(static_cast<int>(fd), mode)
                           : real_fdopen(static_cast<int>(fd), mode);
  if (stream == nullptr) close_opened(fd);
  return stream;
}

File* freopen_with(Real<Freopen>& real, const char* path, const char* mode, File* stream) {
  const int flags = flags_of_mode(mode);
  long fd;
  if (!open_text_at(path, flags < 0 ? flags : flags | O_CLOEXEC, &fd))
    return real(path, mode, stream);
  if (fd < 0) {
    real("", mode, stream);  // fails, and leaves the stream as a failed freopen(3) does
    to_libc(fd);
    return nullptr;
  }
  const DescriptorEntry* const sysctl = known_sysctl(static_cast<int>(fd));
  const u32 number = sysctl != nullptr ? sysctl->sysctl.number : kSysctls;
  File* const reopened = real(DescriptorLink(static_cast<int>(fd)).path(), mode, stream);
  close_opened(fd);
  if (reopened != nullptr && number != kSysctls) mark_sysctl(fileno(reopened), number);
  return reopened;
}

// ------------------------------------------------------------------------ status

// The status of the open file that `buffer` tells of is the view's, if it is one's; `stat_twin`
// asks for the twin's.
template <class Buffer, class StatTwin>
int show_view(int fd, Buffer* buffer, StatTwin stat_twin) {
  const u64 number = is_like_namespace(buffer) ? number_of_descriptor(fd) : 0;
  if (number != 0) [[unlikely]] {
    const int result = stat_twin("/proc/self/ns/mnt");
    if (result == 0) put_inode(buffer, number);
    return result;
  }
  if (!is_like_snapshot(buffer)) [[likely]]
    return 0;
  const SnapshotOf snapshot(fd);
  if (!snapshot) return 0;
  int result = stat_twin(snapshot.own_path());
  if (result == 0 || errno != ENOENT) return result;
  result = stat_twin(snapshot.twin());
  if (result == 0) snapshot.put_inode(buffer);
  return result;
}

constexpr QueuePath::Last last_of(int flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? QueuePath::Last::NotFollowed
                                            : QueuePath::Last::Followed;
}

constexpr bool means_descriptor(const char* path, int flags) {
  return (flags & AT_EMPTY_PATH) != 0 && (path == nullptr || *path == '\0');
}

// The symbolic link itself is the twin's.
template <class Buffer, class StatTwin>
int stat_namespace(const NamespacePath& at, Buffer* buffer, QueuePath::Last last,
                   StatTwin stat_twin) {
  const int result = stat_twin(at.path());
  if (result == 0 && last == QueuePath::Last::Followed) put_inode(buffer, at.number());
  return result;
}

// `stat_path(path)` is the real call.
template <class Buffer, class StatPathCall>
int stat_view_with(const ViewPath& at, Buffer* buffer, StatPathCall stat_path) {
  int result = stat_path(at.own_path());
  // This kernel does not have it.
  if (result != 0 && at && errno == ENOENT) [[unlikely]] {
    result = stat_path(at.path());
    if (result == 0) at.put_inode(buffer);
  }
  if (result == 0) show_queue_status(buffer);
  return result;
}

// The same.
template <class Buffer, class StatPathCall>
int stat_path_with(const char* path, Buffer* buffer, QueuePath::Last last, StatPathCall stat_path) {
  if (is_far_away(path)) [[likely]] {
    const int result = stat_path(path);
    // Through a link it may be a queue nevertheless.
    if (result == 0) show_queue_status(buffer);
    return result;
  }
  const QueuePath queue(AT_FDCWD, path, last);
  const NamespacePath ipc(AT_FDCWD, path);
  if (ipc) [[unlikely]]
    return stat_namespace(ipc, buffer, last, stat_path);
  const ViewPath at(AT_FDCWD, queue.path());
  return stat_view_with(at, buffer, stat_path);
}

template <class Buffer>
int stat_with(Real<StatPath<Buffer>>& real, const char* path, Buffer* buffer,
              QueuePath::Last last) {
  return stat_path_with(path, buffer, last,
                        [&](const char* real_path) { return real(real_path, buffer); });
}

template <class Buffer>
int old_stat_with(Real<OldStatPath<Buffer>>& real, int version, const char* path, Buffer* buffer,
                  QueuePath::Last last) {
  return stat_path_with(path, buffer, last,
                        [&](const char* real_path) { return real(version, real_path, buffer); });
}

template <class Buffer>
int fstat_with(Real<StatFd<Buffer>>& real, Real<StatPath<Buffer>>& real_path, int fd,
               Buffer* buffer) {
  const int result = real(fd, buffer);
  if (result != 0) return result;
  show_queue_status(buffer);
  return show_view(fd, buffer, [&](const char* twin) { return real_path(twin, buffer); });
}

template <class Buffer>
int old_fstat_with(Real<OldStatFd<Buffer>>& real, Real<OldStatPath<Buffer>>& real_path, int version,
                   int fd, Buffer* buffer) {
  const int result = real(version, fd, buffer);
  if (result != 0) return result;
  show_queue_status(buffer);
  return show_view(fd, buffer, [&](const char* twin) { return real_path(version, twin, buffer); });
}

// `stat_at(dirfd, path)` is the real call with the caller's other arguments.
template <class Buffer, class StatAtPath>
int stat_at_with(int dirfd, const char* path, int flags, Buffer* buffer, StatAtPath stat_at) {
  const QueuePath queue(dirfd, path, last_of(flags));
  const NamespacePath ipc(dirfd, path);
  if (ipc) [[unlikely]] {
    return stat_namespace(ipc, buffer, last_of(flags),
                          [&](const char* twin) { return stat_at(AT_FDCWD, twin); });
  }
  const ViewPath at(dirfd, queue.path());
  const int result =
      stat_view_with(at, buffer, [&](const char* real_path) { return stat_at(dirfd, real_path); });
  if (result != 0) return result;
  if (!means_descriptor(path, flags)) return 0;
  return show_view(dirfd, buffer, [&](const char* twin) { return stat_at(AT_FDCWD, twin); });
}

}  // namespace

#define IPCELL_EXPORT __attribute__((visibility("default")))

// The mode is an argument only where it means something.
#define IPCELL_READ_MODE()                                                                         \
  unsigned mode = 0;                                                                               \
  if (takes_mode(flags)) {                                                                         \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    mode = va_arg(rest, unsigned);                                                                 \
    va_end(rest);                                                                                  \
  }

#define IPCELL_OPEN(name)                                                                          \
  IPCELL_EXPORT int name(const char* path, int flags, ...) {                                       \
    IPCELL_READ_MODE()                                                                             \
    return open_with(AT_FDCWD, path, flags, mode,                                                  \
                     [&](const char* real_path) { return real_##name(real_path, flags, mode); });  \
  }

#define IPCELL_OPENAT(name)                                                                        \
  IPCELL_EXPORT int name(int dirfd, const char* path, int flags, ...) {                            \
    IPCELL_READ_MODE()                                                                             \
    return open_with(dirfd, path, flags, mode, [&](const char* real_path) {                        \
      return real_##name(dirfd, real_path, flags, mode);                                           \
    });                                                                                            \
  }

// A flag that wants a mode ends the program here, whatever the path.
#define IPCELL_OPEN_2(name)                                                                        \
  IPCELL_EXPORT int name(const char* path, int flags) {                                            \
    if (takes_mode(flags)) return real_##name(path, flags);                                        \
    return open_with(AT_FDCWD, path, flags, 0,                                                     \
                     [&](const char* real_path) { return real_##name(real_path, flags); });        \
  }

#define IPCELL_OPENAT_2(name)                                                                      \
  IPCELL_EXPORT int name(int dirfd, const char* path, int flags) {                                 \
    if (takes_mode(flags)) return real_##name(dirfd, path, flags);                                 \
    return open_with(dirfd, path, flags, 0,                                                        \
                     [&](const char* real_path) { return real_##name(dirfd, real_path, flags); }); \
  }

#define IPCELL_CREAT(name)                                                                         \
  IPCELL_EXPORT int name(const char* path, unsigned mode) {                                        \
    return open_with(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode,                           \
                     [&](const char* real_path) { return real_##name(real_path, mode); });         \
  }

extern "C" {

IPCELL_OPEN(open)
IPCELL_OPEN(open64)
IPCELL_OPEN(__open)
IPCELL_OPEN(__open64)
IPCELL_OPENAT(openat)
IPCELL_OPENAT(openat64)
IPCELL_OPEN_2(__open_2)
IPCELL_OPEN_2(__open64_2)
IPCELL_OPENAT_2(__openat_2)
IPCELL_OPENAT_2(__openat64_2)
IPCELL_CREAT(creat)
IPCELL_CREAT(creat64)

IPCELL_EXPORT File* fopen(const char* path, const char* mode) {
  return fopen_with(real_fopen, path, mode);
}
IPCELL_EXPORT File* fopen64(const char* path, const char* mode) {
  return fopen_with(real_fopen64, path, mode);
}
IPCELL_EXPORT File* freopen(const char* path, const char* mode, File* stream) {
  return freopen_with(real_freopen, path, mode, stream);
}
IPCELL_EXPORT File* freopen64(const char* path, const char* mode, File* stream) {
  return freopen_with(real_freopen64, path, mode, stream);
}

IPCELL_EXPORT int stat(const char* path, Stat* buffer) {
  return stat_with(real_stat, path, buffer, QueuePath::Last::Followed);
}
IPCELL_EXPORT int stat64(const char* path, Stat64* buffer) {
  return stat_with(real_stat64, path, buffer, QueuePath::Last::Followed);
}
IPCELL_EXPORT int lstat(const char* path, Stat* buffer) {
  return stat_with(real_lstat, path, buffer, QueuePath::Last::NotFollowed);
}
IPCELL_EXPORT int lstat64(const char* path, Stat64* buffer) {
  return stat_with(real_lstat64, path, buffer, QueuePath::Last::NotFollowed);
}
IPCELL_EXPORT int fstat(int fd, Stat* buffer) {
  return fstat_with(real_fstat, real_stat, fd, buffer);
}
IPCELL_EXPORT int fstat64(int fd, Stat64* buffer) {
  return fstat_with(real_fstat64, real_stat64, fd, buffer);
}
IPCELL_EXPORT int __xstat(int version, const char* path, Stat* buffer) {
  return old_stat_with(real___xstat, version, path, buffer, QueuePath::Last::Followed);
}
IPCELL_EXPORT int __xstat64(int version, const char* path, Stat64* buffer) {
  return old_stat_with(real___xstat64, version, path, buffer, QueuePath::Last::Followed);
}
IPCELL_EXPORT int __lxstat(int version, const char* path, Stat* buffer) {
  return old_stat_with(real___lxstat, version, path, buffer, QueuePath::Last::NotFollowed);
}
IPCELL_EXPORT int __lxstat64(int version, const char* path, Stat64* buffer) {
  return old_stat_with(real___lxstat64, version, path, buffer, QueuePath::Last::NotFollowed);
}
IPCELL_EXPORT int __fxstat(int version, int fd, Stat* buffer) {
  return old_fstat_with(real___fxstat, real___xstat, version, fd, buffer);
}
IPCELL_EXPORT int __fxstat64(int version, int fd, Stat64* buffer) {
  return old_fstat_with(real___fxstat64, real___xstat64, version, fd, buffer);
}

IPCELL_EXPORT int fstatat(int dirfd, const char* path, Stat* buffer, int flags) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real_fstatat(real_dirfd, real_path, buffer, flags);
  });
}
IPCELL_EXPORT int fstatat64(int dirfd, const char* path, Stat64* buffer, int flags) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real_fstatat64(real_dirfd, real_path, buffer, flags);
  });
}
IPCELL_EXPORT int __fxstatat(int version, int dirfd, const char* path, Stat* buffer, int flags) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real___fxstatat(version, real_dirfd, real_path, buffer, flags);
  });
}
IPCELL_EXPORT int __fxstatat64(int version, int dirfd, const char* path, Stat64* buffer,
                               int flags) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real___fxstatat64(version, real_dirfd, real_path, buffer, flags);
  });
}
IPCELL_EXPORT int statx(int dirfd, const char* path, int flags, unsigned mask, Statx* buffer) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real_statx(real_dirfd, real_path, flags, mask, buffer);
  });
}

#if defined(__i386__)
IPCELL_EXPORT int __stat64_time64(const char* path, StatTime64* buffer) {
  return stat_with(real___stat64_time64, path, buffer, QueuePath::Last::Followed);
}
IPCELL_EXPORT int __lstat64_time64(const char* path, StatTime64* buffer) {
  return stat_with(real___lstat64_time64, path, buffer, QueuePath::Last::NotFollowed);
}
IPCELL_EXPORT int __fstat64_time64(int fd, StatTime64* buffer) {
  return fstat_with(real___fstat64_time64, real___stat64_time64, fd, buffer);
}
IPCELL_EXPORT int __fstatat64_time64(int dirfd, const char* path, StatTime64* buffer, int flags) {
  return stat_at_with(dirfd, path, flags, buffer, [&](int real_dirfd, const char* real_path) {
    return real___fstatat64_time64(real_dirfd, real_path, buffer, flags);
  });
}
#endif

}  // extern "C"
