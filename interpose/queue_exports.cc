// Libc's entries that change files, for what is in /dev/mqueue; queue_path.h tells how. All other
// paths are passed on as they are.
//
// No header that declares one of these functions may come in here: their attributes (nonnull) are
// for callers.
//
// Exported (queue_exports.list has them, too): the functions at the file's end.
#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "core/ipc/mqueue_file.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"
#include "interpose/views.h"

namespace {

using namespace ipcell;
using Kind = QueuePathKind;
using Last = QueuePath::Last;

// As libc lays them out for a program without _TIME_BITS.
struct Seconds {
  long access, modification;
};
struct Microtime {
  long seconds, microseconds;
};

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(int(const char*, unsigned), chmod);
IPCELL_REAL_AS(int(const char*, unsigned), lchmod);
IPCELL_REAL_AS(int(int, const char*, unsigned, int), fchmodat);
IPCELL_REAL_AS(int(const char*, unsigned, unsigned), chown);
IPCELL_REAL_AS(int(const char*, unsigned, unsigned), lchown);
IPCELL_REAL_AS(int(int, const char*, unsigned, unsigned, int), fchownat);
IPCELL_REAL_AS(int(const char*, const Seconds*), utime);
IPCELL_REAL_AS(int(const char*, const Microtime*), utimes);
IPCELL_REAL_AS(int(const char*, const Microtime*), lutimes);
IPCELL_REAL_AS(int(int, const Microtime*), futimes);
IPCELL_REAL_AS(int(int, const char*, const Microtime*), futimesat);
IPCELL_REAL_AS(int(int, const timespec*), futimens);
IPCELL_REAL_AS(int(int, const char*, const timespec*, int), utimensat);
IPCELL_REAL_AS(int(const char*, long), truncate);
IPCELL_REAL_AS(int(const char*, long long), truncate64);
IPCELL_REAL_AS(long(const char*, const char*, void*, unsigned long), getxattr);
IPCELL_REAL_AS(long(const char*, const char*, void*, unsigned long), lgetxattr);
IPCELL_REAL_AS(long(const char*, char*, unsigned long), listxattr);
IPCELL_REAL_AS(long(const char*, char*, unsigned long), llistxattr);
IPCELL_REAL_AS(int(const char*, const char*, const void*, unsigned long, int), setxattr);
IPCELL_REAL_AS(int(const char*, const char*, const void*, unsigned long, int), lsetxattr);
IPCELL_REAL_AS(int(const char*, const char*), removexattr);
IPCELL_REAL_AS(int(const char*, const char*), lremovexattr);
#undef IPCELL_REAL_AS

// What programs call between fork(2) and exec(2); the others are looked up at their first call.
__attribute__((constructor)) void resolve_symbols() {
  real_chmod.resolve();
  real_chown.resolve();
}

int as_int(long result) { return static_cast<int>(to_libc(result)); }

// ------------------------------------------------------------------------ what a queue has

constexpr Last last_of(int flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? Last::NotFollowed : Last::Followed;
}

long change(u64 inode, const MqueueChange& change) {
  Task* const task = current_task();
  return task != nullptr ? sys_mq_change(*task, inode, change) : -ENOENT;
}

// Changes a queue; `real(path)` is the real call.
template <class RealCall>
int change_with(const QueuePath& at, const MqueueChange& wanted, RealCall real) {
  if (!at.is_queue()) return real(at.path());
  return as_int(at.exists() ? change(at.inode(), wanted) : -ENOENT);
}

// DIVERGES: the folder's mode and owner stay, see docs/compatibility.md
template <class RealCall>
int chmod_with(const QueuePath& at, unsigned mode, RealCall real) {
  if (at.is(Kind::Folder)) return as_int(-EPERM);
  MqueueChange wanted;
  wanted.sets_mode = true;
  wanted.mode = mode & 07777;
  return change_with(at, wanted, real);
}

template <class RealCall>
int chown_with(const QueuePath& at, unsigned owner, unsigned group, RealCall real) {
  if (at.is(Kind::Folder)) return as_int(-EPERM);
  MqueueChange wanted;
  wanted.uid = owner;
  wanted.gid = group;
  return change_with(at, wanted, real);
}

template <class RealCall>
int truncate_with(const QueuePath& at, long long size, RealCall real) {
  if (size < 0 && at.is_queue()) return as_int(-EINVAL);
  MqueueChange wanted;
  wanted.sets_size = true;
  wanted.size = size;
  return change_with(at, wanted, real);
}

// ------------------------------------------------------------------------ times

constexpr long kNow = (1l << 30) - 1, kOmit = (1l << 30) - 2;  // UTIME_NOW, UTIME_OMIT

// Linux: fs/utimes.c:vfs_utimes(). 0, -EINVAL; 1 if there is nothing to change.
int read_times(const timespec* times, MqueueChange* change) {
  change->sets_times = true;
  if (times == nullptr || (times[0].tv_nsec == kNow && times[1].tv_nsec == kNow)) {
    change->sets_now = true;
    return 0;
  }
  i64* const seconds[] = {&change->atime, &change->mtime};
  for (int n = 0; n < 2; ++n) {
    const long nanoseconds = times[n].tv_nsec;
    if (nanoseconds == kOmit) continue;
    if (nanoseconds != kNow && (nanoseconds < 0 || nanoseconds >= 1'000'000'000)) return -EINVAL;
    *seconds[n] = nanoseconds == kNow ? time(nullptr) : times[n].tv_sec;
  }
  return times[0].tv_nsec == kOmit && times[1].tv_nsec == kOmit ? 1 : 0;
}

template <class RealCall>
int set_times_with(const QueuePath& at, const timespec* times, RealCall real) {
  if (!at.is_queue()) return real(at.path());
  MqueueChange wanted;
  const int error = read_times(times, &wanted);
  if (error != 0) return as_int(error < 0 ? error : 0);
  return change_with(at, wanted, real);
}

// The times of a descriptor; `real()` is the real call.
template <class RealCall>
int set_times_of(int fd, const timespec* times, RealCall real) {
  if (!is_queue_descriptor(fd)) [[likely]]
    return real();
  MqueueChange wanted;
  const int error = read_times(times, &wanted);
  if (error != 0) return as_int(error < 0 ? error : 0);
  Task* const task = current_task();
  return as_int(task != nullptr ? change(mqueue_inode_of(*task, fd), wanted) : -EBADF);
}

// Other forms of the two times; looked at only if they are a queue's.
class Times {
 public:
  Times(const Seconds* from, bool is_queue) : is_given_(is_queue && from != nullptr) {
    if (!is_given_) return;
    times_[0] = {from->access, 0};
    times_[1] = {from->modification, 0};
  }
  Times(const Microtime* from, bool is_queue) : is_given_(is_queue && from != nullptr) {
    for (int n = 0; n < 2 && is_given_; ++n) {
      const long micros = from[n].microseconds;
      // What is no fraction of a second is none in nanoseconds, either.
      times_[n] = {from[n].seconds, micros >= 0 && micros < 1'000'000 ? micros * 1000 : -1};
    }
  }
  const timespec* get() const { return is_given_ ? times_ : nullptr; }

 private:
  bool is_given_;
  timespec times_[2];
};

// ------------------------------------------------------------------------ extended attributes

// There are none: `result` if there is such a file.
template <class RealCall>
long attributes_with(const char* path, Last last, long result, RealCall real) {
  const QueuePath at(AT_FDCWD, path, last);
  if (!at.is_queue() && !at.is(Kind::Folder)) return real(ViewPath(AT_FDCWD, at.path()).path());
  return to_libc(at.exists() ? result : -ENOENT);
}

}  // namespace

#define IPCELL_EXPORT __attribute__((visibility("default")))

extern "C" {

IPCELL_EXPORT int chmod(const char* path, unsigned mode) {
  const QueuePath at(AT_FDCWD, path);
  return chmod_with(at, mode, [&](const char* real) { return real_chmod(real, mode); });
}
IPCELL_EXPORT int lchmod(const char* path, unsigned mode) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return chmod_with(at, mode, [&](const char* real) { return real_lchmod(real, mode); });
}
IPCELL_EXPORT int fchmodat(int dirfd, const char* path, unsigned mode, int flags) {
  const QueuePath at(dirfd, path, last_of(flags));
  return chmod_with(at, mode,
                    [&](const char* real) { return real_fchmodat(dirfd, real, mode, flags); });
}

IPCELL_EXPORT int chown(const char* path, unsigned owner, unsigned group) {
  const QueuePath at(AT_FDCWD, path);
  return chown_with(at, owner, group,
                    [&](const char* real) { return real_chown(real, owner, group); });
}
IPCELL_EXPORT int lchown(const char* path, unsigned owner, unsigned group) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return chown_with(at, owner, group,
                    [&](const char* real) { return real_lchown(real, owner, group); });
}
IPCELL_EXPORT int fchownat(int dirfd, const char* path, unsigned owner, unsigned group, int flags) {
  const QueuePath at(dirfd, path, last_of(flags));
  return chown_with(at, owner, group, [&](const char* real) {
    return real_fchownat(dirfd, real, owner, group, flags);
  });
}

IPCELL_EXPORT int utime(const char* path, const Seconds* times) {
  const QueuePath at(AT_FDCWD, path);
  return set_times_with(at, Times(times, static_cast<bool>(at)).get(),
                        [&](const char* real) { return real_utime(real, times); });
}
IPCELL_EXPORT int utimes(const char* path, const Microtime* times) {
  const QueuePath at(AT_FDCWD, path);
  return set_times_with(at, Times(times, static_cast<bool>(at)).get(),
                        [&](const char* real) { return real_utimes(real, times); });
}
IPCELL_EXPORT int lutimes(const char* path, const Microtime* times) {
  const QueuePath at(AT_FDCWD, path, Last::NotFollowed);
  return set_times_with(at, Times(times, static_cast<bool>(at)).get(),
                        [&](const char* real) { return real_lutimes(real, times); });
}
IPCELL_EXPORT int futimesat(int dirfd, const char* path, const Microtime* times) {
  if (path == nullptr) return real_futimesat(dirfd, path, times);
  const QueuePath at(dirfd, path);
  return set_times_with(at, Times(times, static_cast<bool>(at)).get(),
                        [&](const char* real) { return real_futimesat(dirfd, real, times); });
}
IPCELL_EXPORT int utimensat(int dirfd, const char* path, const timespec* times, int flags) {
  if (path == nullptr) {
    return set_times_of(dirfd, times, [&] { return real_utimensat(dirfd, path, times, flags); });
  }
  const QueuePath at(dirfd, path, last_of(flags));
  return set_times_with(
      at, times, [&](const char* real) { return real_utimensat(dirfd, real, times, flags); });
}
IPCELL_EXPORT int futimens(int fd, const timespec* times) {
  return set_times_of(fd, times, [&] { return real_futimens(fd, times); });
}
IPCELL_EXPORT int futimes(int fd, const Microtime* times) {
  return set_times_of(fd, Times(times, is_queue_descriptor(fd)).get(),
                      [&] { return real_futimes(fd, times); });
}

IPCELL_EXPORT int truncate(const char* path, long size) {
  const QueuePath at(AT_FDCWD, path);
  return truncate_with(at, size, [&](const char* real) { return real_truncate(real, size); });
}
IPCELL_EXPORT int truncate64(const char* path, long long size) {
  const QueuePath at(AT_FDCWD, path);
  return truncate_with(at, size, [&](const char* real) { return real_truncate64(real, size); });
}

IPCELL_EXPORT long getxattr(const char* path, const char* name, void* value, unsigned long size) {
  return attributes_with(path, Last::Followed, -EOPNOTSUPP,
                         [&](const char* real) { return real_getxattr(real, name, value, size); });
}
IPCELL_EXPORT long lgetxattr(const char* path, const char* name, void* value, unsigned long size) {
  return attributes_with(path, Last::NotFollowed, -EOPNOTSUPP,
                         [&](const char* real) { return real_lgetxattr(real, name, value, size); });
}
IPCELL_EXPORT long listxattr(const char* path, char* names, unsigned long size) {
  return attributes_with(path, Last::Followed, 0,
                         [&](const char* real) { return real_listxattr(real, names, size); });
}
IPCELL_EXPORT long llistxattr(const char* path, char* names, unsigned long size) {
  return attributes_with(path, Last::NotFollowed, 0,
                         [&](const char* real) { return real_llistxattr(real, names, size); });
}
IPCELL_EXPORT int setxattr(const char* path, const char* name, const void* value,
                           unsigned long size, int flags) {
  return static_cast<int>(attributes_with(path, Last::Followed, -EOPNOTSUPP, [&](const char* real) {
    return static_cast<long>(real_setxattr(real, name, value, size, flags));
  }));
}
IPCELL_EXPORT int lsetxattr(const char* path, const char* name, const void* value,
                            unsigned long size, int flags) {
  return static_cast<int>(
      attributes_with(path, Last::NotFollowed, -EOPNOTSUPP, [&](const char* real) {
        return static_cast<long>(real_lsetxattr(real, name, value, size, flags));
      }));
}
IPCELL_EXPORT int removexattr(const char* path, const char* name) {
  return static_cast<int>(attributes_with(path, Last::Followed, -EOPNOTSUPP, [&](const char* real) {
    return static_cast<long>(real_removexattr(real, name));
  }));
}
IPCELL_EXPORT int lremovexattr(const char* path, const char* name) {
  return static_cast<int>(
      attributes_with(path, Last::NotFollowed, -EOPNOTSUPP, [&](const char* real) {
        return static_cast<long>(real_lremovexattr(real, name));
      }));
}

}  // extern "C"
