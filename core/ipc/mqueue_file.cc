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
// O_CLOEXEC or 16 for kLargeFile.
constexpr int kFirstMode = 40;
constexpr u32 kModes = 24;
// Flags that a pipe has nothing to do with, and may keep for the program.
constexpr int kKeptFlags = O_APPEND | O_SYNC;
constexpr long kPipeSize = 2 * kPage;

long stat_fd(int fd, struct statx* info, const char* path = "") {
  return sys::call(SYS_statx, fd, sys::arg(path), AT_EMPTY_PATH, STATX_TYPE | STATX_INO,
                   sys::arg(info));
}

// The inode number of a pipe of this cell's filesystem, 0 if it is anything else.
u64 inode_here(const Task& task, const struct statx& info) {
  if ((info.stx_mode & S_IFMT) != S_IFIFO) return 0;
  const u64 device = task.cell->device();
  const bool is_here = device == 0 || makedev(info.stx_dev_major, info.stx_dev_minor) == device;
  return is_here ? info.stx_ino : 0;
}

void put_folder(TextWriter& out, const Task& task) {
  out.put(task.folder != nullptr ? task.folder : "");
  out.put("/");
  out.put(kMqueueFolder);
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
  u32 tokens = load_relaxed(queue.tokens);
  if (load_relaxed(queue.is_unsure) != 0 || tokens > kTokensFull) tokens = count_tokens(fd);
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

// Whoever comes as far as the pipe may open it.
int allow_all(const Task& task, long pipe, const MqueuePath& path) {
  constexpr long kMode = 0666;
  char link[40];
  TextWriter out(link, sizeof link);
  out.put("/proc/thread-self/fd/");
  out.put_signed(pipe, 0);
  out.put_char('\0');
  const long error = sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(link), kMode);
  // In a shared folder another user may have put a symbolic link there.
  if (error == 0 || task.cell->header().mode != 0600) return static_cast<int>(error);
  return static_cast<int>(sys::call(SYS_fchmodat, path.folder(), sys::arg(path.text()), kMode));
}

}  // namespace

bool read_mqueue_mode(int fd, MqueueMode* mode) {
  const long number = sys::call(SYS_fcntl, fd, kFGetSig);
  if (number < kFirstMode || number >= kFirstMode + static_cast<long>(kModes)) return false;
  const u32 bits = static_cast<u32>(number - kFirstMode);
  *mode = {bits & 3, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
  return true;
}

int write_mqueue_mode(int fd, const MqueueMode& mode) {
  const u32 opening = mode.shows_cloexec ? 8u : mode.shows_large ? 16u : 0u;
  const u32 bits = mode.access | (mode.is_nonblocking ? 4u : 0u) | opening;
  const long number = kFirstMode + static_cast<long>(bits);
  return static_cast<int>(sys::call(SYS_fcntl, fd, kFSetSig, number));
}

MqueuePath::MqueuePath(const Task& task, u64 serial) : folder_(AT_FDCWD), path_(text_) {
  TextWriter out(text_, sizeof text_);
  if (task.mqueue_folder >= 0) {
    folder_ = task.mqueue_folder;
  } else {
    put_folder(out, task);
    out.put("/");
  }
  out.put_unsigned(serial, 0);
  out.put_char('\0');
}

MqueuePath::MqueuePath(const char* link) : folder_(AT_FDCWD), path_(link) {}

int make_mqueue_folder(const Task& task) {
  char path[sizeof(MqueuePath)];
  TextWriter out(path, sizeof path);
  put_folder(out, task);
  out.put_char('\0');
  // The cell's own folder says who comes here: one who gave up his rights keeps a way. In a shared
  // one pipes are removed by who made them.
  const long mode = task.cell->header().mode == 0600 ? 0733 : 01777;
  const long error = sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(path), mode);
  if (error == 0) sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(path), mode);
  return error == -EEXIST ? 0 : static_cast<int>(error);
}

int make_mqueue_file(const Task& task, u64 serial, u32* mode) {
  const MqueuePath path(task, serial);
  const auto make = [&] {
    return sys::call(SYS_mknodat, path.folder(), sys::arg(path.text()), S_IFIFO | (*mode & 0777),
                     0);
  };
  long error = make();
  if (error == -ENOENT) {
    error = make_mqueue_folder(task);
    if (error == 0) error = make();
  }
  if (error != 0) return static_cast<int>(error);
  const Descriptor pipe(sys::call(SYS_openat, path.folder(), sys::arg(path.text()),
                                  O_PATH | O_NOFOLLOW | O_CLOEXEC, 0));
  struct statx info;
  error = pipe.fd() < 0 ? pipe.fd() : stat_fd(static_cast<int>(pipe.fd()), &info);
  if (error != 0) return static_cast<int>(error);
  *mode = (*mode & ~0777u) | (info.stx_mode & 0777);
  return allow_all(task, pipe.fd(), path);
}

long open_mqueue_file(const MqueuePath& path, const MqueueOpening& opening, bool* is_fresh) {
  const long fd = sys::call(SYS_openat, path.folder(), sys::arg(path.text()),
                            O_RDWR | O_NONBLOCK | (opening.flags & kKeptFlags) |
                                (opening.closes_on_exec ? O_CLOEXEC : 0),
                            0);
  if (fd < 0) return fd;
  const int opened = static_cast<int>(fd);
  struct statx info;
  long error = stat_fd(opened, &info);
  const bool is_pipe = error == 0 && (info.stx_mode & S_IFMT) == S_IFIFO;
  // Another file has its name: as if there were none.
  if (error == 0 && (!is_pipe || (opening.inode != 0 && info.stx_ino != opening.inode)))
    error = -ENOENT;
  *is_fresh = !is_packet_pipe(opened);
  if (error == 0 && *is_fresh) error = sys::call(SYS_fcntl, fd, kFSetPipeSize, kPipeSize);
  if (error >= 0)
    error = sys::call(SYS_fcntl, fd, F_SETFL, O_NONBLOCK | kODirect | (opening.flags & kKeptFlags));
  if (error == 0) {
    error = write_mqueue_mode(
        opened, {static_cast<u32>(opening.flags & O_ACCMODE), (opening.flags & O_NONBLOCK) != 0,
                 (opening.flags & O_CLOEXEC) != 0, (opening.flags & kLargeFile) != 0});
  }
  if (error == 0) return fd;
  sys::call(SYS_close, fd);
  return error;
}

void remove_mqueue_file(const Task& task, u64 serial) {
  const MqueuePath path(task, serial);
  sys::call(SYS_unlinkat, path.folder(), sys::arg(path.text()), 0);
}

u64 mqueue_file_inode(const Task& task, u64 serial) {
  const MqueuePath path(task, serial);
  struct statx info;
  return stat_at(path.folder(), path.text(), &info) == 0 ? info.stx_ino : 0;
}

bool is_mqueue_file_closed(const Task& task, u64 serial) {
  // A pipe that somebody reads can be opened for writing; every descriptor of a queue reads.
  const MqueuePath path(task, serial);
  const long fd = sys::call(SYS_openat, path.folder(), sys::arg(path.text()),
                            O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd >= 0) sys::call(SYS_close, fd);
  return fd == -ENXIO;
}

u64 mqueue_inode_of(const Task& task, int fd) {
  struct statx info;
  return stat_fd(fd, &info) == 0 ? inode_here(task, info) : 0;
}

u64 mqueue_inode_at(const Task& task, int folder, const char* path) {
  struct statx info;
  return stat_fd(folder, &info, path) == 0 ? inode_here(task, info) : 0;
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

void show_mqueue_after(MqueueRec& queue, int fd, u32 messages) {
  const u32 before = tokens_for(queue, messages);
  const u32 wanted = tokens_for(queue, mq_messages(queue.load));
  // The kernel wakes whoever wants edges at every change. A byte that is written wakes for POLLIN,
  // one that is taken from a full pipe for POLLOUT.
  const bool wants_in =
      (queue.watched & kWatchedForInEdges) != 0 && wanted != kTokensEmpty && wanted <= before;
  const bool wants_out = (queue.watched & kWatchedForOutEdges) != 0 && before != kTokensFull;
  if ((wants_in || wants_out) && wanted != kTokensFull) set_tokens(queue, fd, kTokensFull);
  if (!shows(queue, wanted)) set_tokens(queue, fd, wanted);
}

}  // namespace ipcell
