// access(2) and its kin, for views and what is in /dev/mqueue.
//
// No header that declares one of these functions may come in here: their attributes are for
// callers.
//
// Exported (view_exports.list has them, too): the functions at the file's end.
#include <linux/fcntl.h>

#include "core/base/sys.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"
#include "interpose/views.h"

namespace {

using namespace ipcell;
using Access = int(const char*, int);

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(Access, access);
IPCELL_REAL_AS(Access, eaccess);
IPCELL_REAL_AS(Access, euidaccess);
IPCELL_REAL_AS(int(int, const char*, int, int), faccessat);
#undef IPCELL_REAL_AS

// What handlers call.
__attribute__((constructor)) void resolve_symbols() {
  real_access.resolve();
  real_faccessat.resolve();
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

extern "C" {

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
