// The table of views, and opening one.
#include "interpose/views.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/ipc/sysctl.h"
#include "interpose/process.h"
#include "interpose/sysctl_file.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

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

// An empty file without a name in any folder: -errno if there can be none.
long make_nameless_file(const char* label) {
  long fd = sys::call(SYS_memfd_create, sys::arg(label),
                      MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd == -EINVAL) {  // before Linux 6.3
    fd = sys::call(SYS_memfd_create, sys::arg(label), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  // Where a sandbox denies memfd_create. fstat(2) then tells the file's own size and inode.
  for (const char* folder : {"/dev/shm", "/tmp"}) {
    if (fd != -ENOSYS && fd != -EPERM && fd != -EACCES) break;
    const long file = open_at(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
    if (file >= 0) fd = file;
  }
  return fd;
}

// Bytes that this process may write to a file without a SIGXFSZ.
u64 file_size_limit() { return sys::soft_limit(RLIMIT_FSIZE, ~0ull); }

// Writes one piece of a file's text. 0 or -errno.
long write_piece(long fd, const char* text, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const long result = sys::call(SYS_write, fd, sys::arg(text + done), size - done);
    if (result < 0) return result;
    done += static_cast<std::size_t>(result);
  }
  return 0;
}

long write_sysctl_text(Task& task, const View& view, long fd) {
  char text[kSysctlText];
  const std::size_t size = sys_sysctl_print(task, view.sysctl(), text);
  return size > file_size_limit() ? -EFBIG : write_piece(fd, text, size);
}

// 0 or -errno.
long write_view(Task& task, const View& view, long fd) {
  if (view.kind == ViewKind::Sysctl) return write_sysctl_text(task, view, fd);
  char piece[1024];
  u32 position = 0;
  const u64 limit = file_size_limit();
  u64 written = 0;
  while (const std::size_t size = view.generate(task, &position, piece, sizeof piece)) {
    if (limit - written < size) return -EFBIG;
    if (const long error = write_piece(fd, piece, size)) return error;
    written += size;
  }
  return 0;
}

// Seals the written file, and opens it with `flags`: a descriptor or -errno.
long seal(Descriptor& file, int flags) {
  sys::call(SYS_fcntl, file.get(), F_ADD_SEALS,
            F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);

  // Once more with the program's own flags, in place of the first: a program may count on getting
  // the lowest free number.
  const long close_on_exec = flags & O_CLOEXEC;
  Descriptor again(open_at(DescriptorLink(static_cast<int>(file.get())).path(),
                           (flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW)) | O_CLOEXEC));
  if (again.is_open()) {
    const long result = sys::call(SYS_dup3, again.get(), file.get(), close_on_exec);
    if (result < 0) return result;
  } else {
    // No second descriptor to be had (EMFILE): the first does, for its seals keep writers out.
    sys::call(SYS_lseek, file.get(), 0, SEEK_SET);
    if (close_on_exec == 0) sys::call(SYS_fcntl, file.get(), F_SETFD, 0);
  }
  // is_like_snapshot() knows a view by this mode. Before, its owner may open it for writing.
  sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(DescriptorLink(static_cast<int>(file.get())).path()),
            0444);
  return file.release();
}

// A descriptor of the view's text, opened with `flags`, or -errno.
// DIVERGES: the text of a file of /proc/sysvipc is that of the time of open(2); the kernel prints
// it anew when a program reads again from the start. See docs/compatibility.md.
long open_snapshot(Task& task, const View& view, int flags) {
  Descriptor file(make_nameless_file(view.path));
  if (!file.is_open()) return file.get();
  if (const long error = write_view(task, view, file.get())) return error;
  return seal(file, flags);
}

}  // namespace

long open_text(const char* label, const char* text, std::size_t size, int flags) {
  Descriptor file(make_nameless_file(label));
  if (!file.is_open()) return file.get();
  if (size > file_size_limit()) return -EFBIG;
  if (const long error = write_piece(file.get(), text, size)) return error;
  return seal(file, flags);
}

const View* view_at(const char* path, std::size_t length) {
  for (const View& view : kViews) {
    if (view.length == length && memcmp(view.path, path, length) == 0) return &view;
  }
  return nullptr;
}

bool ends_in_view_name(const char* path) {
  const char* end = path + strlen(path);
  while (end > path && end[-1] == '/') --end;
  for (const View& view : kViews) {
    const std::size_t length = view.length - view.folder_length - 1;
    if (static_cast<std::size_t>(end - path) < length) continue;
    const char* const name = end - length;
    if ((name == path || name[-1] == '/') && memcmp(name, view.name(), length) == 0) return true;
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
