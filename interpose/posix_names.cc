#include "interpose/posix_names.h"

#include <cerrno>
#include <limits.h>
#include <string.h>

#include "core/base/atomic.h"
#include "core/base/file.h"
#include "core/cell/cell_dir.h"
#include "core/cell/process.h"
#include "core/ipc/text.h"
#include "interpose/open_semaphores.h"
#include "interpose/process.h"
#include "interpose/settings.h"
#include "interpose/signals_blocked.h"

namespace ipcell {

namespace {

constexpr const char* kSemaphorePrefix = "sem.";
// glibc's buffer has this much room for prefix and name; what does not fit is no name at all, what
// fits may still be too long for the filesystem. glibc: posix/shm-directory.h:struct shmdir_name
constexpr std::size_t kNameRoom = 4 + NAME_MAX;

struct Path {
  char text[kCellPathSize + 16 + kNameRoom];
};

enum Choice : u32 { kUndecided, kInCell, kInLibc };
u32 g_choice = kUndecided;  // atomic; threads that decide at once decide the same
u32 g_has_folder = 0;       // atomic; the folder is there

// The cell whose folder has the names. Named in the environment, because they are no part of an IPC
// namespace: a program that starts in another has the same names.
const CellPlace& posix_place() {
  static CellPlace place;
  static u32 is_known;
  if (load_acquire(is_known) != 0) return place;
  const char* const name = settings().posix;
  const CellPlace& first = first_cell_place();
  if (!is_cell_name(name) || strcmp(name, "1") == 0 ||
      !place_cell(first.base.text, name, &place).ok()) {
    return first;
  }
  store_release(is_known, 1u);
  return place;
}

// 0 or -errno.
long make_folder() {
  if (load_acquire(g_has_folder) != 0) return 0;
  const long error = make_posix_folder(posix_place());
  if (error == 0) store_release(g_has_folder, 1);
  return error;
}

std::size_t slashes_of(const char* name) { return strspn(name, "/"); }

// False if this can't be a name. glibc: posix/shm-directory.c:__shm_get_name()
bool write_path(const char* prefix, const char* name, Path& path) {
  name += slashes_of(name);
  const std::size_t length = strlen(name);
  if (length == 0 || strchr(name, '/') != nullptr || strlen(prefix) + length > kNameRoom) {
    return false;
  }
  TextWriter text(path.text, sizeof path.text);
  for (const char* part : {posix_place().folder.text, "/", kPosixFolder, "/", prefix, name}) {
    text.put(part);
  }
  text.put_char('\0');
  return !text.overflowed();
}

long open_file(const Path& path, int flags, mode_t mode = 0) {
  return sys::call(SYS_openat, AT_FDCWD, sys::arg(path.text),
                   flags | O_NOFOLLOW | O_CLOEXEC | O_LARGEFILE, mode);
}

// glibc: posix/shm_unlink.c:__shm_unlink()
long unlink_file(const char* prefix, const char* name) {
  Path path;
  if (!write_path(prefix, name, path)) return -ENOENT;
  if (const long error = make_folder()) return error;
  const long result = sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(path.text), 0);
  return result == -EPERM ? -EACCES : result;
}

// ---------------------------------------------------------------- semaphores

// The semaphore in the file: its address is counted, and mapped if it is not yet.
long use_file(long fd, const char* name, sem_t* fresh, sem_t** semaphore) {
  struct statx info;
  const long error =
      sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_INO, sys::arg(&info));
  if (error != 0) {
    if (fresh != nullptr) unmap_semaphore(fresh);
    return error;
  }
  const u64 device = static_cast<u64>(info.stx_dev_major) << 32 | info.stx_dev_minor;
  return use_semaphore({device, info.stx_ino, slashes_of(name)}, fd, fresh, semaphore);
}

long open_existing(const Path& path, const char* name, int flags, sem_t** semaphore) {
  const Descriptor file(open_file(path, (flags & ~(O_CREAT | O_ACCMODE)) | O_RDWR));
  if (file.fd() < 0) return file.fd();
  return use_file(file.fd(), name, nullptr, semaphore);
}

// A file without a name of the program's: it stands beside the cell's file, where no name leads,
// and goes with it. It is called by its thread, so that a killed one's is replaced by the next
// thread of that number.
class DraftFile {
 public:
  explicit DraftFile(mode_t mode) : file_(make(mode)) {}
  ~DraftFile() {
    if (fd() >= 0) sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(path_.text), 0);
  }
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  long fd() const { return file_.fd(); }
  // Gives it a name that nobody has yet.
  long name(const Path& path) const {
    return sys::call(SYS_linkat, AT_FDCWD, sys::arg(path_.text), AT_FDCWD, sys::arg(path.text), 0);
  }

 private:
  long make(mode_t mode) {
    TextWriter text(path_.text, sizeof path_.text);
    text.put(posix_place().file.text);
    text.put(".sem-");
    text.put_unsigned(own_process().pid_namespace, 0);
    text.put_char('-');
    text.put_signed(sys::call(SYS_gettid), 0);
    text.put_char('\0');
    const long fd = open_file(path_, O_RDWR | O_CREAT | O_EXCL, mode);
    if (fd != -EEXIST) return fd;
    sys::call(SYS_unlinkat, AT_FDCWD, sys::arg(path_.text), 0);
    return open_file(path_, O_RDWR | O_CREAT | O_EXCL, mode);
  }

  // No handler that opens semaphores, too, may come in between.
  const WithoutSignals blocked_;
  Path path_;
  const Descriptor file_;
};

// It is written whole before it has a name: a full filesystem is an error here, and no SIGBUS
// later.
long write_semaphore(long fd, u32 value) {
  sem_t semaphore;
  memset(&semaphore, 0, sizeof semaphore);
  if (sem_init(&semaphore, 1, value) != 0) return -errno;
  const long written = sys::call(SYS_write, fd, sys::arg(&semaphore), sizeof semaphore);
  if (written < 0) return written;
  return written == sizeof semaphore ? 0 : -ENOSPC;
}

long make_semaphore(const Path& path, const char* name, mode_t mode, u32 value, sem_t** semaphore) {
  const DraftFile draft(mode);
  if (draft.fd() < 0) return draft.fd();
  if (const long error = write_semaphore(draft.fd(), value)) return error;
  const long address = map_semaphore(draft.fd());
  if (address < 0 && address > -4096) return address;
  auto* fresh = reinterpret_cast<sem_t*>(address);
  if (const long error = draft.name(path)) {
    unmap_semaphore(fresh);
    return error;
  }
  return use_file(draft.fd(), name, fresh, semaphore);
}

}  // namespace

bool has_names_in_cell() {
  u32 choice = load_acquire(g_choice);
  if (choice == kUndecided) {
    const bool is_wanted = settings().wants_posix_names() || !has_dev_shm();
    choice = is_wanted && has_cell() ? kInCell : kInLibc;
    store_release(g_choice, choice);
  }
  return choice == kInCell;
}

// glibc: nptl/sem_open.c:__sem_open()
long open_semaphore(const char* name, int flags, mode_t mode, u32 value, sem_t** semaphore) {
  Path path;
  if (!write_path(kSemaphorePrefix, name, path)) return -EINVAL;
  if (const long error = make_folder()) return error;
  const bool may_create = (flags & O_CREAT) != 0;
  const bool may_exist = !may_create || (flags & O_EXCL) == 0;
  for (;;) {
    if (may_exist) {
      const long error = open_existing(path, name, flags, semaphore);
      if (error != -ENOENT || !may_create) return error;
    }
    if (value > SEM_VALUE_MAX) return -EINVAL;
    const long error = make_semaphore(path, name, mode, value, semaphore);
    if (error != -EEXIST || !may_exist) return error;
  }
}

long unlink_semaphore(const char* name) { return unlink_file(kSemaphorePrefix, name); }

bool close_semaphore(sem_t* semaphore) { return drop_semaphore(semaphore); }

// glibc: posix/shm_open.c:__shm_open()
long open_memory(const char* name, int flags, mode_t mode) {
  Path path;
  if (!write_path("", name, path)) return -EINVAL;
  if (const long error = make_folder()) return error;
  const long fd = open_file(path, flags, mode);
  return fd == -EISDIR ? -EINVAL : fd;
}

long unlink_memory(const char* name) { return unlink_file("", name); }

}  // namespace ipcell
