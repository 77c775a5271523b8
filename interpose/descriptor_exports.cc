// libc's calls on descriptors, for those that are message queues or sysctls: what the kernel does
// with an open queue, the pipe behind it does not.

// Else the names with 64 would be those without.
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/usercopy.h"
#include "core/ipc/mqueue_file.h"
#include "interpose/calls.h"
#include "interpose/descriptors.h"
#include "interpose/namespace_path.h"
#include "interpose/real.h"
#include "interpose/sysctl_file.h"

#define IPCELL_EXPORT extern "C" __attribute__((visibility("default")))

namespace ipcell {

namespace {

constinit Real<int(int)> real_close("close");
constinit Real<ssize_t(int, void*, size_t)> real_read("read");
constinit Real<ssize_t(int, const void*, size_t)> real_write("write");
constinit Real<int(int, int, ...)> real_fcntl("fcntl");
constinit Real<int(int, int, ...)> real_fcntl64("fcntl64");
constinit Real<int(int, int)> real_dup2("dup2");
constinit Real<int(int, int, int)> real_dup3("dup3");
constinit Real<int(int)> real_dup("dup");
constinit Real<int(int, unsigned long, ...)> real_ioctl("ioctl");
constinit Real<ssize_t(int, struct msghdr*, int)> real_recvmsg("recvmsg");

// Called in handlers, and in children of threaded processes, where dlsym(3) might wait for ever.
__attribute__((constructor)) void resolve_descriptor_calls() {
  RealSymbol* const symbols[] = {&real_close, &real_read, &real_write, &real_fcntl, &real_dup2};
  for (RealSymbol* symbol : symbols) symbol->resolve();
}

// ------------------------------------------------------------------------ reading and writing

// Copies the queue's line, from `position` on. Bytes or -errno.
long read_line(const DescriptorEntry& entry, i64 position, void* out, size_t size) {
  if (position < 0) return -EINVAL;
  if (entry.queue.access == O_WRONLY || entry.queue.access == O_ACCMODE) return -EBADF;
  char line[kMqueueLine];
  const i64 read_from = size != 0 ? position : static_cast<i64>(sizeof line);
  const InCell in(entry.cell);
  const long length =
      with_task_raw([&](Task& task) { return sys_mq_line(task, entry.queue, read_from, line); });
  if (length < 0 || position >= length) return length < 0 ? length : 0;
  const size_t left = static_cast<size_t>(length - position);
  const size_t count = size < left ? size : left;
  if (count != 0 && copy_to_user(out, line + position, count) != 0) return -EFAULT;
  return static_cast<long>(count);
}

long read_at_position(DescriptorEntry& entry, void* out, size_t size) {
  const long count = read_line(entry, entry.position, out, size);
  if (count > 0) entry.position += count;
  return count;
}

long read_pieces(DescriptorEntry& entry, const struct iovec* pieces, int count) {
  long total = 0;
  for (int n = 0; n < count; ++n) {
    const long got = read_at_position(entry, pieces[n].iov_base, pieces[n].iov_len);
    if (got < 0) return total != 0 ? total : got;
    total += got;
    if (static_cast<size_t>(got) < pieces[n].iov_len) break;
  }
  return total;
}

// What write(2) and its like say.
long refuse_write(const DescriptorEntry& entry) {
  return entry.queue.access == O_WRONLY || entry.queue.access == O_RDWR ? -EINVAL : -EBADF;
}

// A queue that this process has not seen yet looks like a pipe that does not block, with bytes one
// by one for those who poll it, and has no positions. `before`: errno before the call that failed,
// which a queue's does not.
DescriptorEntry* unseen_queue(int fd, long result, int before) {
  const bool is_possible = result == 1 || (result == -1 && (errno == EAGAIN || errno == ESPIPE));
  if (!is_possible || !may_have_queues()) return nullptr;
  const int error = errno;
  MqueueDescriptor found;
  if (!find_queue(fd, &found)) {
    errno = error;
    return nullptr;
  }
  const InCellOf in(fd);
  if (result == 1) with_task_raw([&](Task& task) { return sys_mq_show(task, found); });
  errno = before;
  return known_queue(fd);
}

u64 inode_of(int fd) {
  Task* const task = current_task();
  return task != nullptr ? mqueue_inode_of(*task, fd) : 0;
}

// The queue's status; false if it has none.
bool status_of(int fd, MqueueStatus* status) {
  const InCellOf in(fd);
  const u64 inode = inode_of(fd);
  return with_task_raw([&](Task& task) { return sys_mq_stat_inode(task, inode, status); }) == 0;
}

int change_queue(int fd, const MqueueChange& change) {
  const InCellOf in(fd);
  const u64 inode = inode_of(fd);
  return static_cast<int>(
      with_task([&](Task& task) { return sys_mq_change(task, inode, change); }));
}

// Linux: fs/read_write.c:default_llseek()
long seek(int fd, DescriptorEntry& entry, i64 offset, int whence) {
  MqueueStatus status;
  if (!status_of(fd, &status)) return -EBADF;
  switch (whence) {
    case SEEK_SET: break;
    case SEEK_CUR: offset += entry.position; break;
    case SEEK_END: offset += status.size; break;
    case SEEK_DATA:
    case SEEK_HOLE:
      if (offset < 0 || offset >= status.size) return -ENXIO;
      if (whence == SEEK_HOLE) offset = status.size;
      break;
    default: return -EINVAL;
  }
  if (offset < 0) return -EINVAL;
  entry.position = offset;
  return static_cast<long>(offset);
}

// ------------------------------------------------------------------------ of both kinds

bool is_sysctl(const DescriptorEntry& entry) { return entry.kind == DescriptorKind::Sysctl; }

// An offset that the program gives is none of the file's position, whatever it is.
i64 given(i64 offset) { return offset < 0 ? kAtPosition - 1 : offset; }

long read_file(DescriptorEntry& entry, void* out, size_t size) {
  return is_sysctl(entry) ? read_sysctl(entry, out, size) : read_at_position(entry, out, size);
}
long pread_file(const DescriptorEntry& entry, void* out, size_t size, i64 offset) {
  return is_sysctl(entry) ? read_sysctl(entry, out, size, given(offset))
                          : read_line(entry, offset, out, size);
}
long readv_file(DescriptorEntry& entry, const struct iovec* pieces, int count) {
  return is_sysctl(entry) ? read_sysctl(entry, pieces, count) : read_pieces(entry, pieces, count);
}
long write_file(const DescriptorEntry& entry, const void* text, size_t size) {
  return is_sysctl(entry) ? write_sysctl(entry, text, size) : refuse_write(entry);
}
long pwrite_file(const DescriptorEntry& entry, const void* text, size_t size, i64 offset) {
  return is_sysctl(entry) ? write_sysctl(entry, text, size, given(offset)) : refuse_write(entry);
}
long writev_file(const DescriptorEntry& entry, const struct iovec* pieces, int count) {
  return is_sysctl(entry) ? write_sysctl(entry, pieces, count) : refuse_write(entry);
}
long pwritev_sysctl(const DescriptorEntry& entry, const struct iovec* pieces, int count,
                    i64 offset) {
  return write_sysctl(entry, pieces, count, given(offset));
}
long seek_file(int fd, DescriptorEntry& entry, i64 offset, int whence) {
  return is_sysctl(entry) ? seek_sysctl(entry, offset, whence) : seek(fd, entry, offset, whence);
}

// ------------------------------------------------------------------------ fcntl(2), ioctl(2)

constexpr int kHiddenFlags = O_ACCMODE | O_NONBLOCK | O_DIRECT | O_CLOEXEC | kLargeFile;

long get_flags(int fd) {
  MqueueMode mode;
  if (!read_mqueue_mode(fd, &mode)) return -EBADF;
  const long real = sys::call(SYS_fcntl, fd, F_GETFL);
  if (real < 0) return real;
  return (real & ~static_cast<long>(kHiddenFlags)) | static_cast<long>(mode.access) |
         (mode.is_nonblocking ? O_NONBLOCK : 0) | (mode.shows_cloexec ? O_CLOEXEC : 0) |
         (mode.shows_large ? kLargeFile : 0);
}

long set_flags(const MqueueDescriptor& queue, long flags) {
  const int fd = queue.fd;
  if ((flags & O_DIRECT) != 0) return -EINVAL;
  const long real = sys::call(SYS_fcntl, fd, F_SETFL,
                              (flags & ~static_cast<long>(O_ASYNC)) | O_NONBLOCK | O_DIRECT);
  if (real < 0) return real;
  const InCellOf in(fd);
  return with_task_raw(
      [&](Task& task) { return sys_mq_set_nonblocking(task, queue, (flags & O_NONBLOCK) != 0); });
}

// True if `command` asks for what is different in a queue.
bool is_about_file(int command) {
  switch (command) {
    case F_GETFL:
    case F_SETFL:
    case F_GETSIG:
    case F_SETSIG:
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ: return true;
    default: return false;
  }
}

long fcntl_queue(const MqueueDescriptor& queue, int command, long argument) {
  constexpr long kSignals = 64;
  switch (command) {
    case F_GETFL: return get_flags(queue.fd);
    case F_SETFL: return set_flags(queue, argument);
    case F_GETSIG: return 0;
    case F_SETSIG: return argument >= 0 && argument <= kSignals ? 0 : -EINVAL;
    default: return -EBADF;
  }
}

bool is_queue(int fd, MqueueDescriptor* found) {
  return (known_queue(fd) != nullptr || may_have_queues()) && find_queue(fd, found);
}
bool is_queue(int fd) {
  MqueueDescriptor found;
  return is_queue(fd, &found);
}

int fcntl_with(Real<int(int, int, ...)>& real, int fd, int command, long argument) {
  MqueueDescriptor found;
  if (is_about_file(command) && is_queue(fd, &found)) [[unlikely]]
    return static_cast<int>(to_libc(fcntl_queue(found, command, argument)));
  const int result = real(fd, command, argument);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) remember_copy(fd, result);
  return result;
}

int ioctl_queue(int fd, const DescriptorEntry& entry, unsigned long request, int* value) {
  if (request == FIONBIO) {
    int wanted;
    if (copy_from_user(&wanted, value, sizeof wanted) != 0)
      return static_cast<int>(to_libc(-EFAULT));
    const InCell in(entry.cell);
    return static_cast<int>(with_task(
        [&](Task& task) { return sys_mq_set_nonblocking(task, entry.queue, wanted != 0); }));
  }
  MqueueStatus status;
  if (request == FIONREAD && status_of(fd, &status)) {
    const int left = static_cast<int>(status.size - entry.position);
    return copy_to_user(value, &left, sizeof left) != 0 ? static_cast<int>(to_libc(-EFAULT)) : 0;
  }
  return real_ioctl(fd, request, value);
}

}  // namespace

}  // namespace ipcell

using ipcell::Closing;
using ipcell::DescriptorEntry;
using ipcell::known_file;
using ipcell::known_queue;
using ipcell::known_sysctl;
using ipcell::to_libc;

// ------------------------------------------------------------------------ closing and copying

IPCELL_EXPORT int close(int fd) {
  const Closing closing(fd);
  return ipcell::real_close(fd);
}

IPCELL_EXPORT int close_range(unsigned first, unsigned last, int flags) noexcept {
  // Else they are only marked to be closed at exec(2), or closed in a table of the caller's own.
  if (flags != 0) return IPCELL_REAL(close_range)(first, last, flags);
  const Closing closing(first, last);
  return IPCELL_REAL(close_range)(first, last, flags);
}

IPCELL_EXPORT void closefrom(int first) noexcept {
  const Closing closing(static_cast<unsigned>(first < 0 ? 0 : first), ~0u);
  IPCELL_REAL(closefrom)(first);
}

IPCELL_EXPORT int dup(int fd) noexcept {
  const int copy = ipcell::real_dup(fd);
  ipcell::remember_copy(fd, copy);
  return copy;
}

// What dup2(2) refuses closes nothing.
static bool would_replace(int fd, int copy, int flags) {
  return fd != copy && (flags & ~O_CLOEXEC) == 0 && ipcell::sys::call(SYS_fcntl, fd, F_GETFD) >= 0;
}

IPCELL_EXPORT int dup2(int fd, int copy) noexcept {
  if (!would_replace(fd, copy, 0)) return ipcell::real_dup2(fd, copy);
  const Closing closing(copy);
  const int result = ipcell::real_dup2(fd, copy);
  ipcell::remember_copy(fd, result);
  return result;
}

IPCELL_EXPORT int dup3(int fd, int copy, int flags) noexcept {
  if (!would_replace(fd, copy, flags)) return ipcell::real_dup3(fd, copy, flags);
  const Closing closing(copy);
  const int result = ipcell::real_dup3(fd, copy, flags);
  ipcell::remember_copy(fd, result);
  return result;
}

static ssize_t meet_passed(ssize_t result, struct msghdr* message) {
  if (result < 0 || message->msg_controllen == 0) [[likely]]
    return result;
  for (struct cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr;
       part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t end = part->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at + sizeof(int) <= end; at += sizeof(int)) {
      int passed;
      __builtin_memcpy(&passed, CMSG_DATA(part) + at, sizeof passed);
      ipcell::meet_descriptor(passed);
    }
  }
  return result;
}
IPCELL_EXPORT ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  return meet_passed(ipcell::real_recvmsg(fd, message, flags), message);
}
#if defined(__i386__)
extern "C" ssize_t __recvmsg64(int fd, struct msghdr* message, int flags);
IPCELL_EXPORT ssize_t __recvmsg64(int fd, struct msghdr* message, int flags) {
  return meet_passed(IPCELL_REAL(__recvmsg64)(fd, message, flags), message);
}
#endif

// ------------------------------------------------------------------------ reading and writing

IPCELL_EXPORT ssize_t read(int fd, void* out, size_t size) {
  if (DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::read_file(*entry, out, size));
  const int before = errno;
  const ssize_t result = ipcell::real_read(fd, out, size);
  if (DescriptorEntry* const entry = ipcell::unseen_queue(fd, result, before)) [[unlikely]]
    return to_libc(ipcell::read_at_position(*entry, out, size));
  return result;
}

extern "C" ssize_t __read_chk(int fd, void* out, size_t size, size_t room);
IPCELL_EXPORT ssize_t __read_chk(int fd, void* out, size_t size, size_t room) {
  // Too much for the room ends the program.
  return size > room ? IPCELL_REAL(__read_chk)(fd, out, size, room) : read(fd, out, size);
}

IPCELL_EXPORT ssize_t pread(int fd, void* out, size_t size, off_t offset) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::pread_file(*entry, out, size, offset));
  const int before = errno;
  const ssize_t result = IPCELL_REAL(pread)(fd, out, size, offset);
  if (const DescriptorEntry* const entry = ipcell::unseen_queue(fd, result, before)) [[unlikely]]
    return to_libc(ipcell::read_line(*entry, offset, out, size));
  return result;
}
IPCELL_EXPORT ssize_t pread64(int fd, void* out, size_t size, off64_t offset) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::pread_file(*entry, out, size, offset));
  const int before = errno;
  const ssize_t result = IPCELL_REAL(pread64)(fd, out, size, offset);
  if (const DescriptorEntry* const entry = ipcell::unseen_queue(fd, result, before)) [[unlikely]]
    return to_libc(ipcell::read_line(*entry, offset, out, size));
  return result;
}

IPCELL_EXPORT ssize_t readv(int fd, const struct iovec* pieces, int count) {
  if (DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::readv_file(*entry, pieces, count));
  return IPCELL_REAL(readv)(fd, pieces, count);
}

IPCELL_EXPORT ssize_t write(int fd, const void* text, size_t size) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::write_file(*entry, text, size));
  const ssize_t result = ipcell::real_write(fd, text, size);
  if (const DescriptorEntry* const entry = ipcell::unseen_sysctl(fd, result)) [[unlikely]]
    return to_libc(ipcell::write_file(*entry, text, size));
  return result;
}
IPCELL_EXPORT ssize_t pwrite(int fd, const void* text, size_t size, off_t offset) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::pwrite_file(*entry, text, size, offset));
  const ssize_t result = IPCELL_REAL(pwrite)(fd, text, size, offset);
  if (const DescriptorEntry* const entry = ipcell::unseen_sysctl(fd, result, ESPIPE)) [[unlikely]]
    return to_libc(ipcell::pwrite_file(*entry, text, size, offset));
  return result;
}
IPCELL_EXPORT ssize_t pwrite64(int fd, const void* text, size_t size, off64_t offset) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::pwrite_file(*entry, text, size, offset));
  const ssize_t result = IPCELL_REAL(pwrite64)(fd, text, size, offset);
  if (const DescriptorEntry* const entry = ipcell::unseen_sysctl(fd, result, ESPIPE)) [[unlikely]]
    return to_libc(ipcell::pwrite_file(*entry, text, size, offset));
  return result;
}
IPCELL_EXPORT ssize_t writev(int fd, const struct iovec* pieces, int count) {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::writev_file(*entry, pieces, count));
  const ssize_t result = IPCELL_REAL(writev)(fd, pieces, count);
  if (const DescriptorEntry* const entry = ipcell::unseen_sysctl(fd, result)) [[unlikely]]
    return to_libc(ipcell::writev_file(*entry, pieces, count));
  return result;
}
IPCELL_EXPORT ssize_t pwritev(int fd, const struct iovec* pieces, int count, off_t offset) {
  if (const DescriptorEntry* const entry = known_sysctl(fd)) [[unlikely]]
    return to_libc(ipcell::pwritev_sysctl(*entry, pieces, count, offset));
  return IPCELL_REAL(pwritev)(fd, pieces, count, offset);
}
IPCELL_EXPORT ssize_t pwritev64(int fd, const struct iovec* pieces, int count, off64_t offset) {
  if (const DescriptorEntry* const entry = known_sysctl(fd)) [[unlikely]]
    return to_libc(ipcell::pwritev_sysctl(*entry, pieces, count, offset));
  return IPCELL_REAL(pwritev64)(fd, pieces, count, offset);
}
// Offset -1 is the file's position; sysctls take no flags.
static long pwritev2_sysctl(const DescriptorEntry& entry, const struct iovec* pieces, int count,
                            ipcell::i64 offset, int flags) {
  if (flags != 0) return -EOPNOTSUPP;
  return offset == -1 ? ipcell::write_sysctl(entry, pieces, count)
                      : ipcell::pwritev_sysctl(entry, pieces, count, offset);
}
IPCELL_EXPORT ssize_t pwritev2(int fd, const struct iovec* pieces, int count, off_t offset,
                               int flags) {
  if (const DescriptorEntry* const entry = known_sysctl(fd)) [[unlikely]]
    return to_libc(pwritev2_sysctl(*entry, pieces, count, offset, flags));
  return IPCELL_REAL(pwritev2)(fd, pieces, count, offset, flags);
}
IPCELL_EXPORT ssize_t pwritev64v2(int fd, const struct iovec* pieces, int count, off64_t offset,
                                  int flags) {
  if (const DescriptorEntry* const entry = known_sysctl(fd)) [[unlikely]]
    return to_libc(pwritev2_sysctl(*entry, pieces, count, offset, flags));
  return IPCELL_REAL(pwritev64v2)(fd, pieces, count, offset, flags);
}

IPCELL_EXPORT off_t lseek(int fd, off_t offset, int whence) noexcept {
  if (DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return static_cast<off_t>(to_libc(ipcell::seek_file(fd, *entry, offset, whence)));
  const int before = errno;
  const off_t result = IPCELL_REAL(lseek)(fd, offset, whence);
  if (DescriptorEntry* const entry = ipcell::unseen_queue(fd, result, before)) [[unlikely]]
    return static_cast<off_t>(to_libc(ipcell::seek(fd, *entry, offset, whence)));
  return result;
}
IPCELL_EXPORT off64_t lseek64(int fd, off64_t offset, int whence) noexcept {
  if (DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return to_libc(ipcell::seek_file(fd, *entry, offset, whence));
  const int before = errno;
  const off64_t result = IPCELL_REAL(lseek64)(fd, offset, whence);
  const long told = result < 0 ? -1 : 0;
  if (DescriptorEntry* const entry = ipcell::unseen_queue(fd, told, before)) [[unlikely]]
    return to_libc(ipcell::seek(fd, *entry, offset, whence));
  return result;
}

// ------------------------------------------------------------------------ the file

static int truncate_file(int fd, const DescriptorEntry& entry, long long size) {
  if (ipcell::is_sysctl(entry))
    return static_cast<int>(to_libc(ipcell::truncate_sysctl(entry, size)));
  if (size < 0 || (entry.queue.access != O_WRONLY && entry.queue.access != O_RDWR))
    return static_cast<int>(to_libc(-EINVAL));
  ipcell::MqueueChange change;
  change.sets_size = true;
  change.size = size;
  return ipcell::change_queue(fd, change);
}

IPCELL_EXPORT int ftruncate(int fd, off_t size) noexcept {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return truncate_file(fd, *entry, size);
  return IPCELL_REAL(ftruncate)(fd, size);
}
IPCELL_EXPORT int ftruncate64(int fd, off64_t size) noexcept {
  if (const DescriptorEntry* const entry = known_file(fd)) [[unlikely]]
    return truncate_file(fd, *entry, size);
  return IPCELL_REAL(ftruncate64)(fd, size);
}

IPCELL_EXPORT int fchmod(int fd, mode_t mode) noexcept {
  if (known_sysctl(fd) != nullptr) [[unlikely]]
    return static_cast<int>(to_libc(-EPERM));
  if (!ipcell::is_queue(fd)) [[likely]]
    return IPCELL_REAL(fchmod)(fd, mode);
  ipcell::MqueueChange change;
  change.sets_mode = true;
  change.mode = mode & 07777;
  return ipcell::change_queue(fd, change);
}

IPCELL_EXPORT int fchown(int fd, uid_t owner, gid_t group) noexcept {
  if (known_sysctl(fd) != nullptr) [[unlikely]]
    return static_cast<int>(to_libc(-EPERM));
  if (!ipcell::is_queue(fd)) [[likely]]
    return IPCELL_REAL(fchown)(fd, owner, group);
  ipcell::MqueueChange change;
  change.uid = owner;
  change.gid = group;
  return ipcell::change_queue(fd, change);
}

IPCELL_EXPORT int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return ipcell::fcntl_with(ipcell::real_fcntl, fd, command, argument);
}
IPCELL_EXPORT int fcntl64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return ipcell::fcntl_with(ipcell::real_fcntl64, fd, command, argument);
}

IPCELL_EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  if (const DescriptorEntry* const entry = known_queue(fd)) [[unlikely]]
    return ipcell::ioctl_queue(fd, *entry, request, static_cast<int*>(argument));
  long result;
  if (ipcell::is_namespace_request(request) && ipcell::ask_namespace(fd, request, &result) == 0)
    return static_cast<int>(to_libc(result));
  return ipcell::real_ioctl(fd, request, argument);
}
