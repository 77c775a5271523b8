// The folder that plays /dev/mqueue. Its files are there to be listed; nobody is led to them.
//
// Whoever is about to list it brings it up to date. Processes may do so at once, and be killed in
// it: a file too much or too few stands until the next one comes. A queue of a name that another
// had gets a file of its own, so that the order of the listing stays that of the queues.
#include <fcntl.h>
#include <sys/mman.h>

#include "core/base/file.h"
#include "core/ipc/text.h"
#include "interpose/process.h"
#include "interpose/queue_path.h"

namespace ipcell {

namespace {

// Of the folders that were met, by the number of their mount; atomic. 0: none yet.
u64 g_folder_inodes[kMaxMounts];

// Atomic; 1: the current folder is none of this. It is not remembered where it is, because a
// program may leave it by an inline system call.
u32 g_is_elsewhere = 0;

void write_folder(char* out, std::size_t size, u32 number) {
  TextWriter text(out, size);
  text.put(current_cell().place.folder.text);
  text.put("/");
  write_played_name(text, number);
  text.put_char('\0');
}

// The number of the mount that a folder of this name may play. False if it can't play any.
bool parse_name(const char* name, u32* number) {
  const std::size_t length = strlen(kMqueueNamesFolder);
  *number = 0;
  if (strncmp(name, kMqueueNamesFolder, length) != 0) return false;
  if (name[length] == '\0') return true;
  const char* digit = name + length;
  if (*digit++ != '.') return false;
  for (; *digit >= '0' && *digit <= '9'; ++digit)
    *number = *number * 10 + static_cast<u32>(*digit - '0');
  return *digit == '\0' && *number != 0;
}

// Names one after the other, each with its zero byte: in memory of its own, because they are
// collected under a lock of the cell, and used without.
class NameList {
 public:
  explicit NameList(u64 queues) : size_((static_cast<std::size_t>(queues) + 16) * kMqueueNameRoom) {
    const long made =
        sys::map(0, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (!sys::is_error(made)) text_ = reinterpret_cast<char*>(made);
  }
  ~NameList() {
    if (text_ != nullptr) sys::call(SYS_munmap, sys::arg(text_), static_cast<long>(size_));
  }
  NameList(const NameList&) = delete;
  NameList& operator=(const NameList&) = delete;

  // The names in the cell; those that came in the meantime and have no room are left out.
  void collect(Task& task) {
    if (text_ != nullptr) sys_mq_list(task, add, this);
  }
  // The oldest first, so that a filesystem that lists the newest file first does as the kernel.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t end = used_; end > 0;) {
      std::size_t start = end - 1;
      while (start > 0 && text_[start - 1] != '\0') --start;
      visit(text_ + start);
      end = start;
    }
  }

 private:
  static void add(void* context, const char* name, u64) {
    auto& list = *static_cast<NameList*>(context);
    const std::size_t length = strnlen(name, kMqueueNameRoom - 1);
    if (list.size_ - list.used_ < length + 1) return;
    memcpy(list.text_ + list.used_, name, length);
    list.text_[list.used_ + length] = '\0';
    list.used_ += length + 1;
  }

  std::size_t size_;
  std::size_t used_ = 0;
  char* text_ = nullptr;
};

// The number of the queue of that name, which no other ever has; 0 if there is none.
u64 serial_of(Task& task, const char* name) {
  MqueueStatus status;
  return sys_mq_stat_name(task, name, &status) == 0 ? status.serial : 0;
}

// A file tells by its time which queue it was made for.
void make_name(long folder, const char* name, u64 serial) {
  const Descriptor made(sys::call(SYS_openat, folder, sys::arg(name),
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (made.fd() < 0) return;
  const timespec times[2] = {{0, 0}, {static_cast<time_t>(serial), 0}};
  sys::call(SYS_utimensat, made.fd(), 0, sys::arg(times), 0);
}

bool is_made_for(long folder, const char* name, u64 serial) {
  struct statx info;
  return sys::call(SYS_statx, folder, sys::arg(name), AT_SYMLINK_NOFOLLOW, STATX_MTIME,
                   sys::arg(&info)) == 0 &&
         static_cast<u64>(info.stx_mtime.tv_sec) == serial;
}

void remove_stale_names(Task& task, long folder) {
  for_each_entry(folder, [&](const char* name) {
    const u64 serial = serial_of(task, name);
    if (serial != 0 && is_made_for(folder, name, serial)) return true;
    sys::call(SYS_unlinkat, folder, sys::arg(name), 0);
    // A queue of that name may have come between, and its file by somebody else. If it was there
    // before, its file is made in its turn.
    const u64 newer = serial_of(task, name);
    if (newer != 0 && newer != serial) make_name(folder, name, newer);
    return true;
  });
}

}  // namespace

QueueFolder::QueueFolder(const QueueMount& mount) {
  write_folder(text_, sizeof text_, mount.number);
  struct statx info;
  if (stat_path(text_, &info) == -ENOENT) {
    // Whoever may use the cell may bring it up to date.
    const u32 cell_mode = current_cell().cell.header().mode;
    const u32 mode = cell_mode | (cell_mode & 0444) >> 2;
    if (sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(text_), mode) == 0)
      sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(text_), mode);
    if (stat_path(text_, &info) != 0) return;
  }
  store_release(g_folder_inodes[mount.number % kMaxMounts], static_cast<u64>(info.stx_ino));
}

const QueueMount* played_mount(const char* path, std::size_t length) {
  char text[sizeof(QueueFolder)];
  if (length >= sizeof text) return nullptr;
  std::size_t start = length;
  while (start > 0 && path[start - 1] != '/') --start;
  const bool may_be =
      start > 1 && length - start >= strlen(kMqueueNamesFolder) && path[start] == 'm';
  if (!may_be) [[likely]]
    return nullptr;
  memcpy(text, path, length);
  text[length] = '\0';
  u32 number;
  if (!parse_name(text + start, &number) || !has_cell()) return nullptr;
  struct statx there, ours;
  if (stat_path(text, &there) != 0) return nullptr;
  // By the file, because the way that the cell was given may lead through symbolic links.
  write_folder(text, sizeof text, number);
  const bool is_it = stat_path(text, &ours) == 0 && there.stx_ino == ours.stx_ino &&
                     there.stx_dev_major == ours.stx_dev_major &&
                     there.stx_dev_minor == ours.stx_dev_minor;
  return is_it ? mount_of_number(number) : nullptr;
}

bool is_queue_folder_inode(u64 inode) {
  if (load_acquire(g_folder_inodes[0]) == inode) return true;
  if (!has_mounts()) [[likely]]
    return false;
  for (const u64& known : g_folder_inodes) {
    if (load_acquire(known) == inode) return true;
  }
  return false;
}

void list_queues(Task& task, const QueueMount& mount) {
  // A handler that never returns would leave descriptors open.
  const Critical critical(task);
  const QueueFolder path(mount);
  const Descriptor folder(open_at(AT_FDCWD, path.text(), O_RDONLY | O_DIRECTORY));
  if (folder.fd() < 0) return;
  remove_stale_names(task, folder.fd());
  NameList names(load_acquire(task.cell->layout().mqueues.count));
  names.collect(task);
  names.for_each([&](const char* name) {
    if (const u64 serial = serial_of(task, name)) make_name(folder.fd(), name, serial);
  });
}

bool is_current_folder() {
  if (load_acquire(g_is_elsewhere) != 0) return false;
  char text[sizeof(QueueFolder)];
  const long size = sys::call(SYS_getcwd, sys::arg(text), sizeof text);
  const std::size_t length = size > 0 ? static_cast<std::size_t>(size) - 1 : 0;
  const bool is_inside = mount_at(text, length) != nullptr || played_mount(text, length) != nullptr;
  // A child of vfork(2) has a current folder of its own, but not this word.
  if (!is_inside && !is_borrowed_memory()) store_release(g_is_elsewhere, 1u);
  return is_inside;
}

void forget_current_folder() { store_release(g_is_elsewhere, 0u); }

}  // namespace ipcell
