// The table of views, and opening one.
#include "interpose/views.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/ipc/sysctl.h"
#include "interpose/process.h"
#include "interpose/sysctl_file.h"
#include "interpose/text_file.h"

namespace ipcell {

namespace {

// ------------------------------------------------------------------------ the table

// Inode numbers are out of the way of the kernel's own: fs/proc/generic.c counts from 0xf0000000
// up, get_next_ino() from 1.
constexpr View kViews[] = {
    {"/proc/sysvipc/msg", ViewKind::ProcFile, 0xefff0000, sys_proc_msg},
    {"/proc/sysvipc/sem", ViewKind::ProcFile, 0xefff0001, sys_proc_sem},
    {"/proc/sysvipc/shm", ViewKind::ProcFile, 0xefff0002, sys_proc_shm},
    {"/proc/sys/kernel/msgmax", ViewKind::Sysctl, 0xefff0003, nullptr},
    {"/proc/sys/kernel/msgmnb", ViewKind::Sysctl, 0xefff0004, nullptr},
    {"/proc/sys/kernel/msgmni", ViewKind::Sysctl, 0xefff0005, nullptr},
    {"/proc/sys/kernel/sem", ViewKind::Sysctl, 0xefff0006, nullptr},
    {"/proc/sys/kernel/shmmax", ViewKind::Sysctl, 0xefff0007, nullptr},
    {"/proc/sys/kernel/shmall", ViewKind::Sysctl, 0xefff0008, nullptr},
    {"/proc/sys/kernel/shmmni", ViewKind::Sysctl, 0xefff0009, nullptr},
    {"/proc/sys/kernel/shm_rmid_forced", ViewKind::Sysctl, 0xefff000a, nullptr},
    {"/proc/sys/fs/mqueue/queues_max", ViewKind::Sysctl, 0xefff000b, nullptr},
    {"/proc/sys/fs/mqueue/msg_max", ViewKind::Sysctl, 0xefff000c, nullptr},
    {"/proc/sys/fs/mqueue/msgsize_max", ViewKind::Sysctl, 0xefff000d, nullptr},
    {"/proc/sys/fs/mqueue/msg_default", ViewKind::Sysctl, 0xefff000e, nullptr},
    {"/proc/sys/fs/mqueue/msgsize_default", ViewKind::Sysctl, 0xefff000f, nullptr},
    {"/proc/sys/kernel/auto_msgmni", ViewKind::Sysctl, 0xefff0010, nullptr},
    {"/proc/sys/kernel/msg_next_id", ViewKind::Sysctl, 0xefff0011, nullptr},
    {"/proc/sys/kernel/sem_next_id", ViewKind::Sysctl, 0xefff0012, nullptr},
    {"/proc/sys/kernel/shm_next_id", ViewKind::Sysctl, 0xefff0013, nullptr},
};

constexpr char kProcFileTwin[] = "/proc/version";
constexpr char kSysctlTwin[] = "/proc/sys/kernel/hostname";
static_assert(sizeof kProcFileTwin + 2 <= kTwinRoom && sizeof kSysctlTwin + 2 <= kTwinRoom);
static_assert([] {
  for (const View& view : kViews) {
    if (view.length + 3 > kTwinRoom) return false;
  }
  return true;
}());

constexpr bool is_readable(int flags) {
  return (flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_RDONLY || (flags & O_ACCMODE) == O_RDWR;
}

constexpr bool is_writable(int flags) {
  return (flags & O_PATH) == 0 && (flags & O_ACCMODE) != O_RDONLY;
}

// ------------------------------------------------------------------------ descriptors

// A descriptor that is closed unless it is released.
class Descriptor {
 public:
  explicit Descriptor(long fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  // The descriptor, or -errno.
  long get() const { return fd_; }
  long release() {
    const long fd = fd_;
    fd_ = -EBADF;
    return fd;
  }
  void close() {
    if (fd_ >= 0) sys::call(SYS_close, fd_);
    fd_ = -EBADF;
  }

 private:
  long fd_;
};

long open_at(const char* path, int flags, int mode = 0) {
  return sys::call(SYS_openat, AT_FDCWD, sys::arg(path), flags, mode);
}

// A descriptor of the view's text, opened with `flags`, or -errno.
// DIVERGES: the text of a file of /proc/sysvipc is that of the time of open(2); the kernel prints
// it anew when a program reads again from the start. See docs/compatibility.md.
long open_snapshot(Task& task, const View& view, int flags) {
  TextFile file(view.path);
  if (view.kind == ViewKind::Sysctl) {
    char text[kSysctlText];
    file.write(text, sys_sysctl_print(task, view.sysctl(), text));
    return file.finish(flags);
  }
  char piece[1024];
  u32 position = 0;
  while (const std::size_t size = view.generate(task, &position, piece, sizeof piece))
    file.write(piece, size);
  return file.finish(flags);
}

}  // namespace

const View* view_at(const char* path, std::size_t length) {
  for (const View& view : kViews) {
    if (view.length == length && memcmp(view.path, path, length) == 0) return &view;
  }
  return nullptr;
}

const View* view_by_index(u32 index) {
  return index < sizeof kViews / sizeof kViews[0] ? &kViews[index] : nullptr;
}

bool LastName::is_of(const View& view) const {
  return length_ == view.length - view.folder_length - 1 &&
         memcmp(name_, view.name(), length_) == 0;
}

bool ends_in_view_name(const char* path) {
  const LastName last(path);
  for (const View& view : kViews) {
    if (last.is_of(view)) return true;
  }
  return false;
}

const char* twin_of(const View& view) {
  switch (view.kind) {
    case ViewKind::ProcFile: return kProcFileTwin;
    case ViewKind::Sysctl: return kSysctlTwin;
  }
  __builtin_unreachable();
}

u32 View::sysctl() const {
  constexpr std::size_t kFolder = sizeof "/proc/sys/" - 1;
  return find_sysctl(path + kFolder, length - kFolder);
}

int ViewPath::access_mode(int mode) const {
  const bool is_sysctl = view_ != nullptr && view_->kind == ViewKind::Sysctl;
  return is_sysctl && (mode & ~(R_OK | W_OK | X_OK)) == 0 ? mode & ~W_OK : mode;
}

bool ViewPath::denies(int mode) const {
  if (view_ == nullptr || view_->kind != ViewKind::Sysctl || (mode & W_OK) == 0) return false;
  const Task* const task = current_task();
  return task == nullptr || !sys_sysctl_may_write(*task, view_->sysctl());
}

// A sysctl's descriptor. Who may write to it is not the twin's business.
static long open_sysctl(Task& task, const ViewPath& at, int flags) {
  const bool is_special = (flags & O_PATH) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const int twin_flags =
      is_special ? flags : (flags & ~(O_ACCMODE | O_TRUNC | O_DIRECT)) | O_RDONLY;
  Descriptor twin(open_at(at.path(), twin_flags));
  if (!twin.is_open()) return twin.get();
  const bool is_to_be_written = !is_special && (is_writable(flags) || (flags & O_TRUNC) != 0);
  if (is_to_be_written && !sys_sysctl_may_write(task, at->sysctl())) return -EACCES;
  // Linux: fs/open.c:do_dentry_open(), behind the permissions
  if (!is_special && (flags & O_DIRECT) != 0) return -EINVAL;
  twin.close();
  const long fd = open_snapshot(task, *at, flags);
  if (fd >= 0) mark_sysctl(static_cast<int>(fd), at->sysctl());
  return fd;
}

long open_view(const ViewPath& at, int flags) {
  Task* const task = current_task();
  // Without a cell: as from a kernel without System V IPC.
  if (task == nullptr) return cell_if_any() != nullptr ? -ENOMEM : -ENOENT;
  // A handler that never returns would leave descriptors open.
  const Critical critical(*task);
  if ((flags & O_CREAT) != 0) {
    // Where /proc is an empty folder, the twin must not be made.
    const long error = sys::call(SYS_faccessat, AT_FDCWD, sys::arg(at.twin()), F_OK);
    if (error < 0) return error;
  }
  if (at->kind == ViewKind::Sysctl) return open_sysctl(*task, at, flags);
  Descriptor twin(open_at(at.path(), flags));
  if (!twin.is_open()) return twin.get();
  // Who cannot read needs no text: write(2) fails as the kernel's does.
  if (!is_readable(flags)) return twin.release();
  twin.close();
  return open_snapshot(*task, *at, flags);
}

}  // namespace ipcell
