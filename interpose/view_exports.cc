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
//   access
//   creat
//   creat64
//   eaccess
//   euidaccess
//   faccessat
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

#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "interpose/namespace_path.h"
#include "core/ipc/sysctl.h"
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
using Access = int(const char*, int);

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
IPCELL_REAL_AS(Access, access);
IPCELL_REAL_AS(Access, eaccess);
IPCELL_REAL_AS(Access, euidaccess);
IPCELL_REAL_AS(int(int, const char*, int, int), faccessat);
#undef IPCELL_REAL_AS

// Those that programs call in handlers, or between fork(2) and exec(2); the others are looked up at
// their first call, for each takes a start some of its time.
RealSymbol* const kSymbols[] = {
    &real_open,    &real_open64,  &real_openat,    &real_openat64, &real_creat,
    &real_stat,    &real_stat64,  &real_lstat,     &real_lstat64,  &real_fstat,
    &real_fstat64, &real_fstatat, &real_fstatat64, &real_access,   &real_faccessat,
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

// open(2) of a view, or of something in /dev/mqueue; else `real(path)`, the real call.
template <class RealOpen>
int open_with(int dirfd, const char* path, int flags, unsigned mode, RealOpen real) {
  const QueuePath queue(dirfd, path);
  if (queue) [[unlikely]]
    return static_cast<int>(to_libc(open_queue_path(queue, flags, mode)));
  const NamespacePath ipc(dirfd, path);
  if (ipc) [[unlikely]]
    return static_cast<int>(to_libc(open_namespace(ipc, flags)));
  const ViewPath at(dirfd, path);
  return at ? open_as_int(at, flags) : real(path);
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
  if (at) *fd = open_view(at, flags);
  return static_cast<bool>(at);
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
  const View* const view = view_of_descriptor(fd);
  if (view == nullptr) return 0;
  const int result = stat_twin(twin_of(*view));
  if (result == 0) put_inode(buffer, *view);
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
int stat_path_with(const char* path, Buffer* buffer, QueuePath::Last last, StatPathCall stat_path) {
  const QueuePath queue(AT_FDCWD, path, last);
  const NamespacePath ipc(AT_FDCWD, path);
  if (ipc) [[unlikely]]
    return stat_namespace(ipc, buffer, last, stat_path);
  const ViewPath at(AT_FDCWD, queue.path());
  const int result = stat_path(at.path());
  if (result != 0) return result;
  at.put_inode(buffer);
  show_queue_status(buffer);
  return 0;
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
  const int result = stat_at(dirfd, at.path());
  if (result != 0) return result;
  at.put_inode(buffer);
  show_queue_status(buffer);
  if (!means_descriptor(path, flags)) return 0;
  return show_view(dirfd, buffer, [&](const char* twin) { return stat_at(AT_FDCWD, twin); });
}

// access(2) of what is in /dev/mqueue: 0 or -errno.
long access_queue(const QueuePath& at, int mode) {
  constexpr int kModes = 7;
  if ((mode & ~kModes) != 0) return -EINVAL;
  if (!at.exists()) return -ENOENT;
  Task* const task = current_task();
  // All may do all in the folder.
  if (at.is(QueuePathKind::Folder) || task == nullptr) return 0;
  return sys_mq_access(*task, at.inode(), static_cast<u32>(mode));
}

// `access(path, mode)` is the real call.
template <class AccessPath>
int access_with(int dirfd, const char* path, int mode, AccessPath access) {
  const QueuePath queue(dirfd, path);
  if (queue.is_queue() || queue.is(QueuePathKind::Folder)) [[unlikely]]
    return static_cast<int>(to_libc(access_queue(queue, mode)));
  const ViewPath at(dirfd, queue.path());
  const int result = access(at.path(), at.access_mode(mode));
  return result == 0 && at.denies(mode) ? static_cast<int>(to_libc(-EACCES)) : result;
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

IPCELL_EXPORT int access(const char* path, int mode) {
  return access_with(AT_FDCWD, path, mode,
                     [](const char* at, int asked) { return real_access(at, asked); });
}
IPCELL_EXPORT int eaccess(const char* path, int mode) {
  return access_with(AT_FDCWD, path, mode,
                     [](const char* at, int asked) { return real_eaccess(at, asked); });
}
IPCELL_EXPORT int euidaccess(const char* path, int mode) {
  return access_with(AT_FDCWD, path, mode,
                     [](const char* at, int asked) { return real_euidaccess(at, asked); });
}
IPCELL_EXPORT int faccessat(int dirfd, const char* path, int mode, int flags) {
  return access_with(dirfd, path, mode, [&](const char* at, int asked) {
    return real_faccessat(dirfd, at, asked, flags);
  });
}

}  // extern "C"
