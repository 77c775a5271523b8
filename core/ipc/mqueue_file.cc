#include "core/ipc/mqueue_file.h"

#include <sys/sysmacros.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/cell/cell_dir.h"
#include "core/ipc/mqueue.h"
#include "core/ipc/text.h"

namespace ipcell {

namespace {

constexpr int kFSetSig = 10, kFGetSig = 11;
constexpr int kFSetPipeSize = 1031;
constexpr int kODirect = O_DIRECT;
// F_SETSIG takes any signal's number; from here on they mean: access mode, 4 for O_NONBLOCK, 8 for
// O_CLOEXEC.
constexpr int kFirstMode = 40;
constexpr u32 kModes = 16;
// Flags that a pipe has nothing to do with, and may keep for the program.
constexpr int kKeptFlags = O_APPEND | O_SYNC;
constexpr long kPipeSize = 2 * kPage;

long stat_fd(int fd, struct statx* info) {
  return sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_TYPE | STATX_INO,
                   sys::arg(info));
}

long make_folder(const Task& task, const MqueuePath& path) {
  char folder[sizeof(MqueuePath)];
  const std::size_t length = __builtin_strlen(path.text());
  std::size_t end = length;
  while (end > 0 && path.text()[end] != '/') --end;
  __builtin_memcpy(folder, path.text(), end);
  folder[end] = '\0';
  const u32 mode = task.cell->header().mode;
  // Whoever may use the cell may make queues in it.
  const u32 wanted = mode | (mode & 0444) >> 2;
  const long error = sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(folder), wanted);
  if (error == 0) sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(folder), wanted);
  return error == -EEXIST ? 0 : error;
}

u32 tokens_for(const MqueueRec& queue, u32 messages) {
  if (messages == 0) return kTokensEmpty;
  return messages >= queue.max_messages ? kTokensFull : kTokensSome;
}

// How many bytes are in the pipe.
u32 count_tokens(int fd) {
  constexpr long kFionread = 0x541b;
  int bytes = 0;
  if (sys::call(SYS_ioctl, fd, kFionread, sys::arg(&bytes)) != 0) return kTokensEmpty;
  return bytes > static_cast<int>(kTokensFull) ? kTokensFull : static_cast<u32>(bytes);
}

// Writes or takes out one byte after the other. The descriptor does not block: what does not work
// (a program that wrote to the pipe past us) leaves the number to be asked for.
void set_tokens(MqueueRec& queue, int fd, u32 wanted) {
  u8 token = 0;
  u32 tokens = load_relaxed(queue.is_unsure) != 0 ? count_tokens(fd) : load_relaxed(queue.tokens);
  // A hint, outside of the journal: what stands in the pipe is not taken back either.
  store_relaxed(queue.is_unsure, 1u);
  kill_barrier();
  bool is_sure = true;
  for (; tokens < wanted; ++tokens) is_sure &= sys::call(SYS_write, fd, sys::arg(&token), 1) == 1;
  for (; tokens > wanted; --tokens) is_sure &= sys::call(SYS_read, fd, sys::arg(&token), 1) == 1;
  store_relaxed(queue.tokens, wanted);
  kill_barrier();
  if (is_sure) store_relaxed(queue.is_unsure, 0u);
}

bool shows(const MqueueRec& queue, u32 tokens) {
  return load_relaxed(queue.is_unsure) == 0 && load_relaxed(queue.tokens) == tokens;
}

// The pipe is fresh when its first descriptor is opened: nothing is in it, nobody watches.
bool is_packet_pipe(int fd) {
  constexpr int kFGetPipeSize = 1032;
  return sys::call(SYS_fcntl, fd, kFGetPipeSize) == kPipeSize;
}

}  // namespace

bool read_mqueue_mode(int fd, MqueueMode* mode) {
  const long number = sys::call(SYS_fcntl, fd, kFGetSig);
  if (number < kFirstMode || number >= kFirstMode + static_cast<long>(kModes)) return false;
  const u32 bits = static_cast<u32>(number - kFirstMode);
  *mode = {bits & 3, (bits & 4) != 0, (bits & 8) != 0};
  return true;
}

int write_mqueue_mode(int fd, const MqueueMode& mode) {
  const u32 bits = mode.access | (mode.is_nonblocking ? 4u : 0u) | (mode.shows_cloexec ? 8u : 0u);
  const long number = kFirstMode + static_cast<long>(bits);
  return static_cast<int>(sys::call(SYS_fcntl, fd, kFSetSig, number));
}

MqueuePath::MqueuePath(const Task& task, u64 serial) {
  TextWriter out(text_, sizeof text_);
  out.put(task.folder != nullptr ? task.folder : "");
  out.put("/");
  out.put(kMqueueFolder);
  out.put("/");
  out.put_unsigned(serial, 0);
  out.put_char('\0');
}

int make_mqueue_file(const Task& task, u64 serial, u32* mode, u64* inode) {
  const MqueuePath path(task, serial);
  const auto make = [&] {
    return sys::call(SYS_mknodat, AT_FDCWD, sys::arg(path.text()), S_IFIFO | (*mode & 0777), 0);
  };
  long error = make();
  if (error == -ENOENT) {
    error = make_folder(task, path);
    if (error == 0) error = make();
  }
  struct statx info;
  if (error == 0) error = stat_path(path.text(), &info);
  if (error != 0) return static_cast<int>(error);
  *mode = (*mode & ~0777u) | (info.stx_mode & 0777);
  *inode = info.stx_ino;
  return static_cast<int>(
      sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(path.text()), task.cell->header().mode & 0666));
}

long open_mqueue_file(const Task& task, u64 serial, int flags, bool closes_on_exec,
                      bool* is_fresh) {
  const MqueuePath path(task, serial);
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(path.text()),
                            O_RDWR | O_NONBLOCK | O_NOFOLLOW | (flags & kKeptFlags) |
                                (closes_on_exec ? O_CLOEXEC : 0),
                            0);
  if (fd < 0) return fd;
  const int opened = static_cast<int>(fd);
  *is_fresh = !is_packet_pipe(opened);
  if (*is_fresh) sys::call(SYS_fcntl, fd, kFSetPipeSize, kPipeSize);
  sys::call(SYS_fcntl, fd, F_SETFL, O_NONBLOCK | kODirect | (flags & kKeptFlags));
  write_mqueue_mode(opened, {static_cast<u32>(flags & O_ACCMODE), (flags & O_NONBLOCK) != 0,
                             (flags & O_CLOEXEC) != 0});
  return fd;
}

void remove_mqueue_file(const Task& task, u64 serial) {
  sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(MqueuePath(task, serial).text()), 0);
}

bool is_mqueue_file_closed(const Task& task, u64 serial) {
  // A pipe that somebody reads can be opened for writing; every descriptor of a queue reads.
  const long fd = sys::call(SYS_openat, AT_FDCWD, sys::arg(MqueuePath(task, serial).text()),
                            O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd >= 0) sys::call(SYS_close, fd);
  return fd == -ENXIO || fd == -ENOENT;
}

u64 mqueue_inode_of(const Task& task, int fd) {
  struct statx info;
  if (stat_fd(fd, &info) != 0 || (info.stx_mode & S_IFMT) != S_IFIFO) return 0;
  const u64 device = task.cell->device();
  const bool is_here = device == 0 || makedev(info.stx_dev_major, info.stx_dev_minor) == device;
  return is_here ? info.stx_ino : 0;
}

void show_mqueue(const MqueueRec& queue, int fd) {
  set_tokens(const_cast<MqueueRec&>(queue), fd, tokens_for(queue, mq_messages(queue.load)));
}

void show_mqueue_before(MqueueRec& queue, int fd, u32 messages) {
  const u32 now = tokens_for(queue, mq_messages(queue.load)), then = tokens_for(queue, messages);
  // What is possible before or after is shown: to see too much costs a look.
  const u32 both = now == then ? now : kTokensSome;
  if (!shows(queue, both)) set_tokens(queue, fd, both);
}

void show_mqueue_after(MqueueRec& queue, int fd) {
  const u32 wanted = tokens_for(queue, mq_messages(queue.load));
  if ((queue.watched & kWatchedForEdges) != 0) {
    // The kernel wakes whoever wants edges at every change: a byte that is written wakes for
    // POLLIN, one that is taken from a full pipe for POLLOUT.
    set_tokens(queue, fd, wanted == kTokensFull ? kTokensSome : kTokensFull);
  }
  if (!shows(queue, wanted)) set_tokens(queue, fd, wanted);
}

}  // namespace ipcell
