// mount(2) and its kin for filesystems of the type "mqueue" (mounts.h).
//
// No header that declares one of these functions may come in here: their attributes are for
// callers.
//
// Exported (queue_exports.list has them, too): the functions at the file's end.
#include <linux/fcntl.h>

#include "interpose/namespace_path.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/real.h"

namespace {

using namespace ipcell;

#define IPCELL_REAL_AS(type, name) constinit Real<type> real_##name(#name)
IPCELL_REAL_AS(int(const char*, const char*, const char*, unsigned long, const void*), mount);
IPCELL_REAL_AS(int(const char*), umount);
IPCELL_REAL_AS(int(const char*, int), umount2);
#undef IPCELL_REAL_AS

template <class RealCall>
int umount_with(const char* path, int flags, RealCall real) {
  const QueuePath at(AT_FDCWD, path);
  Task* const task = at.is_inside() || at.is(QueuePathKind::Folder) ? current_task() : nullptr;
  if (task == nullptr) return real(at.path());
  return static_cast<int>(to_libc(unmount_queues(*task, at, flags)));
}

}  // namespace

#define IPCELL_EXPORT __attribute__((visibility("default")))

extern "C" {

IPCELL_EXPORT int mount(const char* source, const char* path, const char* type, unsigned long flags,
                        const void* data) {
  constexpr unsigned long kBind = 4096;  // MS_BIND
  const NamespacePath ipc(AT_FDCWD, (flags & kBind) != 0 ? source : nullptr);
  if (ipc) return static_cast<int>(to_libc(mount_namespace(ipc, path, flags)));
  Task* const task = is_new_mqueue(type, flags) ? current_task() : nullptr;
  if (task == nullptr) return real_mount(source, path, type, flags, data);
  return static_cast<int>(to_libc(mount_queues(*task, source, path, data)));
}
IPCELL_EXPORT int umount(const char* path) {
  return umount_with(path, 0, [](const char* real) { return real_umount(real); });
}
IPCELL_EXPORT int umount2(const char* path, int flags) {
  return umount_with(path, flags, [&](const char* real) { return real_umount2(real, flags); });
}

}  // extern "C"
