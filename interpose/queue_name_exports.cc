// Libc's entries that change names, for those in /dev/mqueue; queue_path.h tells how. All other
// paths are passed on as they are.
//
// No header that declares one of these functions may come in here: their attributes (nonnull) are
// for callers.
//
// Exported (queue_exports.list has them, too): the functions at the file's end.
#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "interpose/mqueue.h"
#include "interpose/namespace_path.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u
#endif

namespace {

using namespace ipcell;
using Kind = QueuePathKind;
using Last = QueuePath::Last;

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(int(const char*), unlink);
IPCELL_REAL_AS(int(int, const char*, int), unlinkat);
IPCELL_REAL_AS(int(const char*), remove);
IPCELL_REAL_AS(int(const char*), rmdir);
IPCELL_REAL_AS(int(const char*, unsigned), mkdir);
IPCELL_REAL_AS(int(int, const char*, unsigned), mkdirat);
IPCELL_REAL_AS(int(const char*, unsigned), mkfifo);
IPCELL_REAL_AS(int(int, const char*, unsigned), mkfifoat);
IPCELL_REAL_AS(int(const char*, unsigned, unsigned long), mknod);
IPCELL_REAL_AS(int(int, const char*, unsigned, unsigned long), mknodat);
IPCELL_REAL_AS(int(int, const char*, unsigned, unsigned long*), __xmknod);
IPCELL_REAL_AS(int(int, int, const char*, unsigned, unsigned long*), __xmknodat);
IPCELL_REAL_AS(int(const char*, const char*), symlink);
IPCELL_REAL_AS(int(const char*, int, const char*), symlinkat);
IPCELL_REAL_AS(int(const char*, const char*), link);
IPCELL_REAL_AS(int(int, const char*, int, const char*, int), linkat);
IPCELL_REAL_AS(int(const char*, const char*), rename);
IPCELL_REAL_AS(int(int, const char*, int, const char*), renameat);
IPCELL_REAL_AS(int(int, const char*, int, const char*, unsigned), renameat2);
IPCELL_REAL_AS(long(const char*, char*, unsigned long), readlink);
IPCELL_REAL_AS(long(int, const char*, char*, unsigned long), readlinkat);
IPCELL_REAL_AS(long(const char*, char*, unsigned long, unsigned long), __readlink_chk);
IPCELL_REAL_AS(long(int, const char*, char*, unsigned long, unsigned long), __readlinkat_chk);
#undef IPCELL_REAL_AS

// What programs call in handlers, or between fork(2) and exec(2); the others are looked up at their
// first call.
RealSymbol* const kSymbols[] = {&real_unlink, &real_unlinkat, &real_rmdir,
                                &real_mkdir,  &real_rename,   &real_readlink};

__attribute__((constructor)) void resolve_symbols() {
  for (RealSymbol* symbol : kSymbols) symbol->resolve();
}

int as_int(long result) { return static_cast<int>(to_libc(result)); }

// ------------------------------------------------------------------------ names

// Linux: fs/namei.c:do_unlinkat(), do_rmdir(); `real(path)` is the real call.
template <class RealCall>
int unlink_with(const QueuePath& at, bool removes_folder, RealCall real) {
  if (at.is(Kind::Folder)) return as_int(removes_folder ? -EBUSY : -EISDIR);
  if (removes_folder || !at.is(Kind::Queue)) return real(at.path());
  return as_int(unlink_mqueue(at.name()));
}

// Linux: fs/namei.c:filename_create(), then vfs_mkdir() and its like: what has no operation in this
// folder. `may_end_in_slash`: a new folder's name may.
long refuse_name(const QueuePath& at, bool may_end_in_slash) {
  if (at.is(Kind::Folder)) return -EEXIST;
  if (at.is(Kind::Behind)) return at.exists() ? -ENOTDIR : -ENOENT;
  if (at.exists()) return -EEXIST;
  return at.is(Kind::Slash) && !may_end_in_slash ? -ENOENT : -EPERM;
}

// A call that makes something else than a queue; `real(path)` is the real one.
template <class RealCall>
int make_with(const QueuePath& at, RealCall real, bool may_end_in_slash = false) {
  if (at.is_inside() || at.is(Kind::Folder)) [[unlikely]]
    return as_int(refuse_name(at, may_end_in_slash));
  return real(at.path());
}

// Linux: fs/namei.c:do_mknodat(): a regular file is made as by open(2).
template <class RealCall>
int mknod_with(const QueuePath& at, unsigned mode, RealCall real) {
  constexpr unsigned kType = 0170000, kRegular = 0100000;
  const bool is_regular = (mode & kType) == 0 || (mode & kType) == kRegular;
  if (!at.is(Kind::Queue) || at.exists() || !is_regular) return make_with(at, real);
  const long fd = open_mqueue(at.name(), O_CREAT | O_EXCL, mode & 07777, nullptr, true);
  if (fd >= 0) close_mqueue(static_cast<int>(fd));
  return as_int(fd < 0 ? fd : 0);
}

// 0 if what is to get another name is there.
long find_source(const QueuePath& at) {
  if (at.exists()) return at.is(Kind::Queue) ? 0 : -ENOTDIR;
  return -ENOENT;
}

// Linux: fs/namei.c:do_linkat()
long refuse_link(const QueuePath& from, const QueuePath& to) {
  if (from.is_inside()) {
    if (const long error = find_source(from)) return error;
  }
  if (to.is_inside() || to.is(Kind::Folder)) {
    const long error = refuse_name(to, false);
    if (error != -EPERM) return error;
  }
  return from.is_inside() && to.is_inside() ? -EPERM : -EXDEV;
}

template <class RealCall>
int link_with(const QueuePath& from, const QueuePath& to, RealCall real) {
  if (from.is_inside() || to.is_inside() || to.is(Kind::Folder)) [[unlikely]]
    return as_int(refuse_link(from, to));
  return real(from.path(), to.path());
}

// Linux: fs/namei.c:do_renameat2()
long rename_inside(const QueuePath& from, const QueuePath& to, unsigned flags) {
  if (from.is(Kind::Folder) || to.is(Kind::Folder)) return -EBUSY;
  if (from.is_inside() != to.is_inside()) return -EXDEV;
  if (const long error = find_source(from)) return error;
  if ((flags & RENAME_NOREPLACE) != 0 && to.exists()) return -EEXIST;
  if (!to.is(Kind::Queue)) return -ENOTDIR;
  return to.exists() && to.inode() == from.inode() ? 0 : -EPERM;
}

template <class RealCall>
int rename_with(const QueuePath& from, const QueuePath& to, unsigned flags, RealCall real) {
  const bool is_about_queues =
      from.is_inside() || to.is_inside() || from.is(Kind::Folder) || to.is(Kind::Folder);
  if (is_about_queues) [[unlikely]]
    return as_int(rename_inside(from, to, flags));
  return real(from.path(), to.path());
}

// `real(path)` is the real call.
template <class RealCall>
long readlink_with(int dirfd, const char* path, char* text, unsigned long size, RealCall real) {
  const NamespacePath ipc(dirfd, path);
  if (ipc) [[unlikely]] {
    const long length = real(ipc.path());
    return length > 0 ? read_namespace_link(ipc.number(), text, size) : length;
  }
  const QueuePath at(dirfd, path, Last::NotFollowed);
  const long length = real(at.path());
  return length > 0 && !at ? show_queue_link(dirfd, path, text, size, length) : length;
}

}  // namespace

#define IPCELL_EXPORT __attribute__((visibility("default")))

extern "C" {

IPCELL_EXPORT int unlink(const char* path) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return unlink_with(at, false, [](const char* real) { return real_unlink(real); });
}
IPCELL_EXPORT int unlinkat(int dirfd, const char* path, int flags) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return unlink_with(at, (flags & AT_REMOVEDIR) != 0,
                     [&](const char* real) { return real_unlinkat(dirfd, real, flags); });
}
IPCELL_EXPORT int remove(const char* path) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return unlink_with(at, at.is(Kind::Folder), [](const char* real) { return real_remove(real); });
}
IPCELL_EXPORT int rmdir(const char* path) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return unlink_with(at, true, [](const char* real) { return real_rmdir(real); });
}

IPCELL_EXPORT int mkdir(const char* path, unsigned mode) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return make_with(
      at, [&](const char* real) { return real_mkdir(real, mode); }, true);
}
IPCELL_EXPORT int mkdirat(int dirfd, const char* path, unsigned mode) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return make_with(
      at, [&](const char* real) { return real_mkdirat(dirfd, real, mode); }, true);
}
IPCELL_EXPORT int mkfifo(const char* path, unsigned mode) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return make_with(at, [&](const char* real) { return real_mkfifo(real, mode); });
}
IPCELL_EXPORT int mkfifoat(int dirfd, const char* path, unsigned mode) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return make_with(at, [&](const char* real) { return real_mkfifoat(dirfd, real, mode); });
}
IPCELL_EXPORT int mknod(const char* path, unsigned mode, unsigned long device) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return mknod_with(at, mode, [&](const char* real) { return real_mknod(real, mode, device); });
}
IPCELL_EXPORT int mknodat(int dirfd, const char* path, unsigned mode, unsigned long device) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return mknod_with(at, mode,
                    [&](const char* real) { return real_mknodat(dirfd, real, mode, device); });
}
// The first argument tells which interface the caller was compiled for.
IPCELL_EXPORT int __xmknod(int version, const char* path, unsigned mode, unsigned long* device) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return mknod_with(at, mode,
                    [&](const char* real) { return real___xmknod(version, real, mode, device); });
}
IPCELL_EXPORT int __xmknodat(int version, int dirfd, const char* path, unsigned mode,
                             unsigned long* device) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return mknod_with(at, mode, [&](const char* real) {
    return real___xmknodat(version, dirfd, real, mode, device);
  });
}
IPCELL_EXPORT int symlink(const char* target, const char* path) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return make_with(at, [&](const char* real) { return real_symlink(target, real); });
}
IPCELL_EXPORT int symlinkat(const char* target, int dirfd, const char* path) {
  const QueuePath at(dirfd, path, Last::NotFollowed);
  return make_with(at, [&](const char* real) { return real_symlinkat(target, dirfd, real); });
}

IPCELL_EXPORT int link(const char* from, const char* to) {
  const QueuePath old_at(AT_FDCWD, from, Last::NotFollowed);
  const QueuePath new_at(AT_FDCWD, to, Last::NotFollowed);
  return link_with(old_at, new_at,
                   [](const char* real, const char* name) { return real_link(real, name); });
}
IPCELL_EXPORT int linkat(int from_dirfd, const char* from, int to_dirfd, const char* to,
                         int flags) {
  const QueuePath old_at(from_dirfd, from, Last::NotFollowed);
  const QueuePath new_at(to_dirfd, to, Last::NotFollowed);
  return link_with(old_at, new_at, [&](const char* real, const char* name) {
    return real_linkat(from_dirfd, real, to_dirfd, name, flags);
  });
}
IPCELL_EXPORT int rename(const char* from, const char* to) {
  const QueuePath old_at(AT_FDCWD, from, Last::NotFollowed);
  const QueuePath new_at(AT_FDCWD, to, Last::NotFollowed);
  return rename_with(old_at, new_at, 0,
                     [](const char* real, const char* name) { return real_rename(real, name); });
}
IPCELL_EXPORT int renameat(int from_dirfd, const char* from, int to_dirfd, const char* to) {
  const QueuePath old_at(from_dirfd, from, Last::NotFollowed);
  const QueuePath new_at(to_dirfd, to, Last::NotFollowed);
  return rename_with(old_at, new_at, 0, [&](const char* real, const char* name) {
    return real_renameat(from_dirfd, real, to_dirfd, name);
  });
}
IPCELL_EXPORT int renameat2(int from_dirfd, const char* from, int to_dirfd, const char* to,
                            unsigned flags) {
  const QueuePath old_at(from_dirfd, from, Last::NotFollowed);
  const QueuePath new_at(to_dirfd, to, Last::NotFollowed);
  return rename_with(old_at, new_at, flags, [&](const char* real, const char* name) {
    return real_renameat2(from_dirfd, real, to_dirfd, name, flags);
  });
}

IPCELL_EXPORT long readlink(const char* path, char* text, unsigned long size) {
  return readlink_with(AT_FDCWD, path, text, size,
                       [&](const char* real) { return real_readlink(real, text, size); });
}
IPCELL_EXPORT long readlinkat(int dirfd, const char* path, char* text, unsigned long size) {
  return readlink_with(dirfd, path, text, size,
                       [&](const char* real) { return real_readlinkat(dirfd, real, text, size); });
}
// Too much for the room ends the program.
IPCELL_EXPORT long __readlink_chk(const char* path, char* text, unsigned long size,
                                  unsigned long room) {
  return size > room ? real___readlink_chk(path, text, size, room) : readlink(path, text, size);
}
IPCELL_EXPORT long __readlinkat_chk(int dirfd, const char* path, char* text, unsigned long size,
                                    unsigned long room) {
  return size > room ? real___readlinkat_chk(dirfd, path, text, size, room)
                     : readlinkat(dirfd, path, text, size);
}

}  // extern "C"
