// mount(2) and umount2(2) of the type "mqueue".
#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/ipc/perm.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/views.h"

namespace ipcell {

using Kind = QueuePathKind;

namespace {

// ------------------------------------------------------------------------ mount(2)

// Linux: fs/namespace.c:path_mount(): what is none of do_new_mount()'s business.
constexpr unsigned long kOthers =
    MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

}  // namespace

bool is_new_mqueue(const char* type, unsigned long flags) {
  return type != nullptr && is_equal(type, "mqueue") && (flags & kOthers) == 0;
}

namespace {

// Linux: fs/namespace.c:may_mount(). Root in a container without the capability may, too: it is its
// own cell alone that changes.
bool may_mount(const Task& task) {
  return task.cred->euid == 0 || task.cred->has_capability(kCapSysAdmin);
}

// A folder's path as the kernel knows it, and as the program called it.
struct Target {
  NormalPath given;
  char path[kNormalPathRoom];
};

long find_folder(const char* path, Target* target) {
  const Descriptor folder(sys::call(SYS_openat, AT_FDCWD, sys::arg(path), O_PATH | O_CLOEXEC, 0));
  if (folder.fd() < 0) return folder.fd();
  struct statx info;
  const long error =
      sys::call(SYS_statx, folder.fd(), sys::arg(""), AT_EMPTY_PATH, STATX_TYPE, sys::arg(&info));
  if (error != 0) return error;
  if (!S_ISDIR(info.stx_mode)) return -ENOTDIR;
  const DescriptorLink link(static_cast<int>(folder.fd()));
  const long length = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link.path()),
                                sys::arg(target->path), sizeof target->path);
  // Deeper than paths are looked at, or at the root.
  if (length < 2 || length >= static_cast<long>(sizeof target->path)) return -ENAMETOOLONG;
  target->path[length] = '\0';
  return 0;
}

long find_target(const char* path, Target* target) {
  if (path == nullptr) return -EFAULT;
  const QueuePath at(AT_FDCWD, path);
  if (at.is_queue() || at.is_inside()) return at.exists() ? -ENOTDIR : -ENOENT;
  if (at.is(Kind::Folder)) {
    target->given.start_in(at.mount().path);
    memcpy(target->path, at.mount().path, at.mount().length + 1);
    return 0;
  }
  if (const long error = find_folder(at.path(), target)) return error;
  if (path[0] != '/' && !target->given.start_at(AT_FDCWD)) return -ENOENT;
  for (const char* rest = path; *rest != '\0';) {
    const char* const name = rest + strspn(rest, "/");
    const std::size_t length = strcspn(name, "/");
    if (length != 0 && !target->given.push(name, length)) return -ENAMETOOLONG;
    rest = name + length;
  }
  return 0;
}

}  // namespace

// Linux: fs/namespace.c:path_mount(), do_new_mount(); ipc/mqueue.c has no options.
long mount_queues(Task& task, const char* source, const char* path, const void* data) {
  Target target;
  if (const long error = find_target(path, &target)) return error;
  if (!may_mount(task)) return -EPERM;
  if (data != nullptr && *static_cast<const char*>(data) != '\0') return -EINVAL;
  // Linux: fs/namespace.c:do_add_mount(): the same filesystem in the same place. What stands at
  // /dev/mqueue at first is another one, as in a fresh namespace.
  const QueueMount* const there = mount_at(target.path, strlen(target.path));
  if (there != nullptr && there->number != 0) return -EBUSY;
  char given[kNormalPathRoom + 1];
  memcpy(given, target.given.text(), target.given.length());
  given[target.given.length()] = '\0';
  return add_mount(target.path, is_equal(given, target.path) ? nullptr : given,
                   source != nullptr ? source : "none");
}

// ------------------------------------------------------------------------ umount(2)

namespace {

// True if the link leads to the folder of that inode number.
bool leads_to(long folder, const char* link, u64 device, u64 inode) {
  struct statx info;
  // Whatever it leads to is not to be waited for.
  return sys::call(SYS_statx, folder, sys::arg(link), AT_STATX_DONT_SYNC, STATX_INO,
                   sys::arg(&info)) == 0 &&
         info.stx_ino == inode && (u64{info.stx_dev_major} << 32 | info.stx_dev_minor) == device;
}

// True if the process of this folder of /proc is in the folder, or has it open.
bool uses(long process, u64 device, u64 inode) {
  if (leads_to(process, "cwd", device, inode)) return true;
  const Descriptor open_files(
      sys::call(SYS_openat, process, sys::arg("fd"), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  bool is_used = false;
  for_each_entry(open_files.fd(), [&](const char* name) {
    is_used = leads_to(open_files.fd(), name, device, inode);
    return !is_used;
  });
  return is_used;
}

// DIVERGES: queues that were opened by a path in it don't keep a mount, nor do processes that this
// one may not look at. See docs/compatibility.md.
bool is_busy(const QueueMount& mount) {
  const QueueFolder folder(mount);
  struct statx info;
  if (stat_path(folder.text(), &info) != 0) return false;
  const u64 device = u64{info.stx_dev_major} << 32 | info.stx_dev_minor;
  const Descriptor processes(open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  bool is_used = false;
  for_each_entry(processes.fd(), [&](const char* name) {
    if (*name < '1' || *name > '9') return true;
    const Descriptor process(
        sys::call(SYS_openat, processes.fd(), sys::arg(name), O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    is_used = process.fd() >= 0 && uses(process.fd(), device, info.stx_ino);
    return !is_used;
  });
  return is_used;
}

}  // namespace

// Linux: fs/namespace.c:ksys_umount(), can_umount(), do_umount()
long unmount_queues(Task& task, const QueuePath& at, int flags) {
  constexpr int kFlags = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;
  if ((flags & ~kFlags) != 0) return -EINVAL;
  if (!at.is(Kind::Folder) && !at.exists()) return -ENOENT;
  if (!may_mount(task)) return -EPERM;
  if (!at.is(Kind::Folder)) return -EINVAL;  //.exists() ? -EINVAL : -ENOENT;
  // What `ipcell run` began with stays.
  if (at.mount().number == 0) return -EBUSY;
  if ((flags & MNT_DETACH) == 0 && is_busy(at.mount())) return -EBUSY;
  return remove_mount(at.mount());
}

}  // namespace ipcell
