#include "interpose/sysctl_file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/usercopy.h"
#include "core/ipc/sysctl.h"
#include "interpose/calls.h"
#include "interpose/views.h"

namespace ipcell {

namespace {

constexpr int kFSetSig = 10;
// Linux: include/linux/slab.h:KMALLOC_MAX_SIZE: so much is written or read at once at most.
constexpr std::size_t kTooMuch = 4 * 1024 * 1024;

bool may_read(const DescriptorEntry& entry) {
  return entry.sysctl.access == O_RDONLY || entry.sysctl.access == O_RDWR;
}
bool may_write(const DescriptorEntry& entry) {
  return entry.sysctl.access == O_WRONLY || entry.sysctl.access == O_RDWR;
}

i64 position_of(const DescriptorEntry& entry) {
  return sys::call(SYS_lseek, entry.sysctl.fd, 0, SEEK_CUR);
}
void set_position(const DescriptorEntry& entry, i64 position) {
  sys::call(SYS_lseek, entry.sysctl.fd, static_cast<long>(position), SEEK_SET);
}

// Its entry, if it is a sysctl's.
const DescriptorEntry* remember_view(int fd, const View& view) {
  if (view.kind != ViewKind::Sysctl) return nullptr;
  mark_sysctl(fd, view.sysctl());
  return known_sysctl(fd);
}

// What readv(2) and writev(2) are given, as far as a sysctl has to do with it.
class Pieces {
 public:
  Pieces(const iovec* pieces, int count) : pieces_(pieces), count_(count) {}

  // Bytes in all, or -errno.
  long total() const {
    constexpr int kMost = 1024;
    if (count_ < 0 || count_ > kMost) return -EINVAL;
    std::size_t sum = 0;
    for (int n = 0; n < count_; ++n) {
      iovec piece;
      if (copy_from_user(&piece, pieces_ + n, sizeof piece) != 0) return -EFAULT;
      if (static_cast<ssize_t>(piece.iov_len) < 0 ||
          __builtin_add_overflow(sum, piece.iov_len, &sum) || static_cast<ssize_t>(sum) < 0)
        return -EINVAL;
    }
    return static_cast<long>(sum);
  }
  // Copies the first `size` bytes, by pieces. 0 or -EFAULT.
  template <class Copy>
  long for_each(std::size_t size, Copy copy) const {
    std::size_t done = 0;
    for (int n = 0; n < count_ && done < size; ++n) {
      iovec piece;
      if (copy_from_user(&piece, pieces_ + n, sizeof piece) != 0) return -EFAULT;
      const std::size_t length = piece.iov_len < size - done ? piece.iov_len : size - done;
      if (length != 0 && copy(piece.iov_base, done, length) != 0) return -EFAULT;
      done += length;
    }
    return 0;
  }

 private:
  const iovec* pieces_;
  int count_;
};

// Linux: fs/proc/proc_sysctl.c:proc_sys_call_handler()
long read_at(const DescriptorEntry& entry, const Pieces& pieces, i64 position) {
  const long size = pieces.total();
  if (size < 0) return size;
  if (static_cast<std::size_t>(size) >= kTooMuch) return -ENOMEM;
  if (position != 0 || size == 0) return 0;
  char text[kSysctlText];
  const InCell in(entry.cell);
  const long length = with_task_raw([&](Task& task) {
    return static_cast<long>(sys_sysctl_print(task, entry.sysctl.number, text));
  });
  if (length < 0) return length;
  const long count = size < length ? size : length;
  const long error = pieces.for_each(static_cast<std::size_t>(count),
                                     [&](void* out, std::size_t from, std::size_t part) {
                                       return copy_to_user(out, text + from, part);
                                     });
  return error != 0 ? error : count;
}

long write_at(const DescriptorEntry& entry, const Pieces& pieces, i64 position) {
  const long size = pieces.total();
  if (size < 0) return size;
  if (static_cast<std::size_t>(size) >= kTooMuch) return -ENOMEM;
  char text[kSysctlWritten + 1];
  const std::size_t looked_at = static_cast<std::size_t>(size) < kSysctlWritten
                                    ? static_cast<std::size_t>(size)
                                    : kSysctlWritten;
  const long error =
      pieces.for_each(looked_at, [&](const void* from, std::size_t to, std::size_t part) {
        return copy_from_user(text + to, from, part);
      });
  if (error != 0) return error;
  const InCell in(entry.cell);
  return with_task_raw([&](Task& task) {
    return sys_sysctl_write(task, entry.sysctl.number, text, static_cast<std::size_t>(size),
                            position);
  });
}

// `serve(position)`, which moves the file's position on unless another was given.
template <class Serve>
long at_offset(const DescriptorEntry& entry, i64 offset, Serve serve) {
  if (offset != kAtPosition) return offset < 0 ? -EINVAL : serve(offset);
  const i64 position = position_of(entry);
  const long count = serve(position);
  if (count > 0) set_position(entry, position + count);
  return count;
}

}  // namespace

// ------------------------------------------------------------------------ which are known

void mark_sysctl(int fd, u32 number) {
  const long flags = sys::call(SYS_fcntl, fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return;
  sys::call(SYS_fcntl, fd, kFSetSig, kSysctlMark);
  remember_sysctl({fd, number, static_cast<u32>(flags & O_ACCMODE)});
}

const DescriptorEntry* find_sysctl_descriptor(int fd) {
  const View* const view = SnapshotOf(fd).view();
  return view != nullptr ? remember_view(fd, *view) : nullptr;
}

const DescriptorEntry* unseen_sysctl(int fd, long result, int proc_error) {
  if (result != -1 || errno != EPERM) [[likely]]
    return nullptr;
  const View* const view = SnapshotOf(fd).view();
  errno = view != nullptr && view->kind == ViewKind::ProcFile ? proc_error : EPERM;
  return view != nullptr ? remember_view(fd, *view) : nullptr;
}

// ------------------------------------------------------------------------ reading and writing

long read_sysctl(const DescriptorEntry& entry, const iovec* pieces, int count, i64 offset) {
  if (!may_read(entry)) return -EBADF;
  return at_offset(entry, offset,
                   [&](i64 position) { return read_at(entry, Pieces(pieces, count), position); });
}
long read_sysctl(const DescriptorEntry& entry, void* out, std::size_t size, i64 offset) {
  const iovec piece = {out, size};
  return read_sysctl(entry, &piece, 1, offset);
}

long write_sysctl(const DescriptorEntry& entry, const iovec* pieces, int count, i64 offset) {
  if (!may_write(entry)) return -EBADF;
  return at_offset(entry, offset,
                   [&](i64 position) { return write_at(entry, Pieces(pieces, count), position); });
}
long write_sysctl(const DescriptorEntry& entry, const void* text, std::size_t size, i64 offset) {
  const iovec piece = {const_cast<void*>(text), size};
  return write_sysctl(entry, &piece, 1, offset);
}

long write_all(const DescriptorEntry& entry, const char* text, std::size_t size) {
  while (size != 0) {
    const long count = write_sysctl(entry, text, size);
    if (count < 0) return count;
    text += count;
    size -= static_cast<std::size_t>(count);
  }
  return 0;
}

// Linux: fs/read_write.c:default_llseek(), of a file of 0 bytes
long seek_sysctl(const DescriptorEntry& entry, i64 offset, int whence) {
  switch (whence) {
    case SEEK_SET:
    case SEEK_END: break;
    case SEEK_CUR: offset += position_of(entry); break;
    case SEEK_DATA:
    case SEEK_HOLE: return -ENXIO;
    default: return -EINVAL;
  }
  if (offset < 0) return -EINVAL;
  set_position(entry, offset);
  return static_cast<long>(offset);
}

long truncate_sysctl(const DescriptorEntry& entry, i64 size) {
  return size < 0 || !may_write(entry) ? -EINVAL : 0;
}

}  // namespace ipcell
