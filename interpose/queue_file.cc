// Queues opened by path, and what /proc tells of their descriptors.
#include <fcntl.h>

#include "core/ipc/mqueue_file.h"
#include "core/ipc/text.h"
#include "interpose/mqueue.h"
#include "interpose/namespace_path.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"
#include "interpose/text_file.h"
#include "interpose/views.h"

namespace ipcell {

namespace {

constexpr int kTmpfile = O_TMPFILE & ~O_DIRECTORY;
constexpr char kDeleted[] = " (deleted)";

long open_raw(const char* path, int flags, u32 mode) {
  return sys::call(SYS_openat, AT_FDCWD, sys::arg(path), flags, static_cast<long>(mode));
}

long open_folder(const QueuePath& at, int flags, u32 mode) {
  if ((flags & kTmpfile) != 0) return -EOPNOTSUPP;
  Task* const task = current_task();
  if (task != nullptr && (flags & O_PATH) == 0) list_queues(*task, at.mount());
  const long fd = open_raw(at.path(), flags, mode);
  if (fd >= 0) remember_folder(static_cast<int>(fd));
  return fd;
}

long reopen(const char* link, int flags) {
  Task* const task = current_task();
  if (task == nullptr) return -ENOENT;
  MqueueDescriptor opened;
  const long fd = sys_mq_reopen(*task, link, (flags & ~O_CLOEXEC) | kLargeFile,
                                (flags & O_CLOEXEC) != 0, &opened);
  if (fd >= 0) remember_queue(opened);
  return fd;
}

// True if the kernel is to open the path as it stands: nothing of a queue is asked for.
bool is_plain_open(const QueuePath& at, int flags) {
  if (!at.is_queue() || (flags & (O_PATH | O_DIRECTORY)) != 0) return true;
  // What leads to it is a symbolic link.
  return at.is(QueuePathKind::Link) &&
         ((flags & O_NOFOLLOW) != 0 || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL));
}

// O_TRUNC of an open queue. 0 or -errno.
long truncate_opened(const QueuePath& at) {
  Task* const task = current_task();
  MqueueChange change;
  change.sets_size = true;
  return task != nullptr ? sys_mq_change(*task, at.inode(), change) : 0;
}

// Without " (deleted)".
std::size_t length_without_mark(const char* text, std::size_t length) {
  constexpr std::size_t kMark = sizeof kDeleted - 1;
  const bool is_marked = length > kMark && memcmp(text + length - kMark, kDeleted, kMark) == 0;
  return is_marked ? length - kMark : length;
}

// The new text of a link, if `text` is one to the folder or to a queue's pipe.
bool rewrite_link(int dirfd, const char* path, const char* text, std::size_t length,
                  TextWriter& out) {
  if (const QueueMount* const mount = played_mount(text, length)) {
    out.put(mount->path);
    return true;
  }
  if (const u64 number = number_of_link(text, length)) {
    put_namespace(out, number);
    return true;
  }
  if (!is_like_queue_pipe(text, length)) return false;
  Task* const task = current_task();
  const u64 inode = task != nullptr ? mqueue_inode_at(*task, dirfd, path) : 0;
  char name[kMqueueNameRoom];
  const long is_linked = inode != 0 ? sys_mq_name(*task, inode, name) : -ENOENT;
  if (is_linked < 0) return false;
  out.put("/");
  out.put(name);
  out.put(is_linked != 0 ? "" : kDeleted);
  return true;
}

}  // namespace

bool is_like_queue_pipe(const char* text, std::size_t length) {
  const std::size_t end = length_without_mark(text, length);
  std::size_t start = end;
  while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9') --start;
  const std::size_t folder = strlen(kMqueueFolder);
  if (start == end || start < folder + 2 || text[start - 1] != '/') return false;
  const std::size_t slash = start - folder - 2;
  return text[slash] == '/' && memcmp(text + slash + 1, kMqueueFolder, folder) == 0;
}

long open_queue_path(const QueuePath& at, int flags, u32 mode) {
  if (at.is(QueuePathKind::Folder)) return open_folder(at, flags, mode);
  if (is_plain_open(at, flags))
    return open_raw(at.path(), at.is_queue() ? flags & ~O_CREAT : flags, mode);
  const long fd = at.is(QueuePathKind::Link)
                      ? reopen(at.path(), flags)
                      : open_mqueue(at.name(), (flags & ~O_CLOEXEC) | kLargeFile, mode, nullptr,
                                    (flags & O_CLOEXEC) != 0);
  if (fd < 0 || (flags & O_TRUNC) == 0 || !at.exists()) return fd;
  const long error = truncate_opened(at);
  if (error == 0) return fd;
  close_mqueue(static_cast<int>(fd));
  return error;
}

// DIVERGES: libc reads and writes the file of a stream past us, so it gets the line as it is now,
// in a file where writing gives EPERM, not EINVAL. See docs/compatibility.md.
long open_queue_text(const QueuePath& at, int flags, u32 mode) {
  const long opened = open_queue_path(at, flags, mode);
  const int fd = static_cast<int>(opened);
  const DescriptorEntry* const entry = opened >= 0 ? known_queue(fd) : nullptr;
  if (entry == nullptr) return opened;
  char line[kMqueueLine];
  Task* const task = current_task();
  const bool is_readable = (flags & O_ACCMODE) != O_WRONLY;
  const long size = is_readable && task != nullptr ? sys_mq_line(*task, entry->queue, 0, line) : 0;
  close_mqueue(fd);
  if (size < 0) return size;
  TextFile file(kFirstMount.path);
  file.write(line, static_cast<std::size_t>(size));
  return file.finish(flags);
}

long show_queue_link(int dirfd, const char* path, char* text, std::size_t size, long length) {
  if (length <= 0 || text[0] != '/') return length;
  char whole[512];
  const char* from = text;
  if (static_cast<std::size_t>(length) == size) {
    // Cut off, it may be.
    length = sys::call(SYS_readlinkat, dirfd, sys::arg(path), sys::arg(whole), sizeof whole);
    from = whole;
    if (length <= 0) return static_cast<long>(size);
  }
  char shown[kNormalPathRoom + sizeof kDeleted];
  TextWriter out(shown, sizeof shown);
  if (!rewrite_link(dirfd, path, from, static_cast<std::size_t>(length), out))
    return from == text ? length : static_cast<long>(size);
  const std::size_t count = out.used() < size ? out.used() : size;
  memcpy(text, shown, count);
  return static_cast<long>(count);
}

bool is_queue_descriptor(int fd) {
  if (known_descriptor(fd) != nullptr) return known_queue(fd) != nullptr;
  MqueueMode mode;
  MqueueDescriptor found;
  return read_mqueue_mode(fd, &mode) && find_queue(fd, &found);
}

}  // namespace ipcell
