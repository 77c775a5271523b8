// In a 32-bit process `struct stat` has to be the small one beside `struct stat64`.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include "interpose/queue_stat.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/time64.h"

namespace ipcell {

namespace {

// Linux: ipc/mqueue.c, DIRENT_SIZE
constexpr u64 kEmptyFolder = 40, kFolderEntry = 20;

u64 device_of(const struct stat& status) { return status.st_dev; }
u64 device_of(const struct stat64& status) { return status.st_dev; }
#if defined(__i386__)
u64 device_of(const StatTime64& status) { return status.st_dev; }
#endif
u64 device_of(const struct statx& status) {
  return makedev(status.stx_dev_major, status.stx_dev_minor);
}
template <class Status>
u64 inode_of(const Status& status) {
  return status.st_ino;
}
u64 inode_of(const struct statx& status) { return status.stx_ino; }
template <class Status>
u32 mode_of(const Status& status) {
  return status.st_mode;
}
u32 mode_of(const struct statx& status) { return status.stx_mode; }

template <class Status>
void fill(Status& out, u32 type, const MqueueStatus& from) {
  out.st_mode = type | from.mode;
  out.st_nlink = from.links;
  out.st_uid = from.uid;
  out.st_gid = from.gid;
  out.st_rdev = 0;
  out.st_size = static_cast<decltype(out.st_size)>(from.size);
  out.st_blksize = kPage;
  out.st_blocks = 0;
}
template <class Status>
void fill_times(Status& out, const MqueueStatus& from) {
  out.st_atim = {static_cast<time_t>(from.atime), 0};
  out.st_mtim = {static_cast<time_t>(from.mtime), 0};
  out.st_ctim = {static_cast<time_t>(from.ctime), 0};
}
void fill(struct statx& out, u32 type, const MqueueStatus& from) {
  out.stx_mask &= ~static_cast<u32>(STATX_BTIME);
  out.stx_attributes = 0;
  out.stx_btime = {};
  out.stx_mode = static_cast<u16>(type | from.mode);
  out.stx_nlink = from.links;
  out.stx_uid = from.uid;
  out.stx_gid = from.gid;
  out.stx_rdev_major = out.stx_rdev_minor = 0;
  out.stx_size = static_cast<u64>(from.size);
  out.stx_blksize = kPage;
  out.stx_blocks = 0;
}
void fill_times(struct statx& out, const MqueueStatus& from) {
  out.stx_atime = {from.atime, 0, {}};
  out.stx_mtime = {from.mtime, 0, {}};
  out.stx_ctime = {from.ctime, 0, {}};
}

// DIVERGES: the folder's times are those of the listing. See docs/compatibility.md.
template <class Status>
void show_folder(const Cell& cell, Status& out) {
  const MqueueTable& table = cell.layout().mqueues;
  const u64 queues = load_acquire(table.count) - load_acquire(table.unlinked);
  MqueueStatus status = {};
  status.mode = 01777;
  status.links = 2;
  status.size = static_cast<i64>(kEmptyFolder + kFolderEntry * queues);
  fill(out, S_IFDIR, status);
}

// False if it is none of the current cell's.
template <class Status>
bool show_queue(Status& out) {
  MqueueStatus status;
  Task* const task = current_task();
  if (task == nullptr || sys_mq_stat_inode(*task, inode_of(out), &status) != 0) return false;
  fill(out, S_IFREG, status);
  fill_times(out, status);
  return true;
}

template <class Status>
void show(Status& out) {
  const u32 type = mode_of(out) & S_IFMT;
  const bool may_be_folder = type == S_IFDIR && is_queue_folder_inode(inode_of(out));
  if (type != S_IFIFO && !may_be_folder) return;
  // A process that was started with an open queue has mapped it already.
  const Cell* const cell = cell_if_any();
  if (cell == nullptr || device_of(out) != cell->device()) return;
  if (may_be_folder) {
    show_folder(*cell, out);
  } else {
    bool is_shown = show_queue(out);
    for_each_cell([&](u32 number, const ProcessCell&) {
      const InCell in(number);
      is_shown = is_shown || show_queue(out);
    });
  }
}

// Linux: fs/libfs.c:simple_statfs()
template <class Status>
void show_filesystem(Status& out) {
  constexpr u32 kNameMax = kMqueueNameRoom - 1;
  out.f_bsize = out.f_frsize = kPage;
  out.f_blocks = out.f_bfree = out.f_bavail = out.f_files = out.f_ffree = 0;
  if constexpr (requires { out.f_type; }) {
    out.f_type = 0x19800202;  // MQUEUE_MAGIC
    out.f_namelen = kNameMax;
  } else {
    out.f_favail = 0;
    out.f_namemax = kNameMax;
  }
}

template <class Status, class Buffer>
Status& as(Buffer* buffer) {
  return *reinterpret_cast<Status*>(buffer);
}

}  // namespace

void show_queue_status(Stat* buffer) { show(as<struct stat>(buffer)); }
void show_queue_status(Stat64* buffer) { show(as<struct stat64>(buffer)); }
void show_queue_status(Statx* buffer) { show(as<struct statx>(buffer)); }

#if defined(__i386__)
void show_queue_status(StatTime64* buffer) { show(*buffer); }
#endif

void show_queue_filesystem(Statfs* buffer) { show_filesystem(as<struct statfs>(buffer)); }
void show_queue_filesystem(Statfs64* buffer) { show_filesystem(as<struct statfs64>(buffer)); }
void show_queue_filesystem(Statvfs* buffer) { show_filesystem(as<struct statvfs>(buffer)); }
void show_queue_filesystem(Statvfs64* buffer) { show_filesystem(as<struct statvfs64>(buffer)); }

void show_no_room(Statfs* buffer) { as<struct statfs>(buffer).f_bavail = 0; }
void show_no_room(Statfs64* buffer) { as<struct statfs64>(buffer).f_bavail = 0; }
void show_no_room(Statvfs* buffer) { as<struct statvfs>(buffer).f_bavail = 0; }
void show_no_room(Statvfs64* buffer) { as<struct statvfs64>(buffer).f_bavail = 0; }

}  // namespace ipcell
