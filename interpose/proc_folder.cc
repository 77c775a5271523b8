#include "interpose/proc_folder.h"

#include <string.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/ipc/text.h"
#include "interpose/process.h"

namespace ipcell {

namespace {

bool kernel_has_files() {
  return sys::call(SYS_faccessat, AT_FDCWD, sys::arg("/proc/sysvipc/msg"), F_OK) != -ENOENT;
}

void write_path(char* out, std::size_t size) {
  TextWriter text(out, size);
  text.put(current_cell().place.folder.text);
  text.put("/");
  text.put(kProcFolder);
  text.put_char('\0');
}

// With the names, the last first: filesystems that list the newest first do as the kernel.
bool make_folder(const char* path) {
  constexpr u32 kMode = 0755;
  if (sys::call(SYS_mkdirat, AT_FDCWD, sys::arg(path), kMode) != 0) return false;
  sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(path), kMode);
  const Descriptor folder(open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  for (const char* name : {"shm", "sem", "msg"}) {
    const Descriptor file(sys::call(SYS_openat, folder.fd(), sys::arg(name),
                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  }
  return true;
}

}  // namespace

bool write_proc_folder(char* out, std::size_t size) {
  if (kernel_has_files() || !has_cell()) return false;
  write_path(out, size);
  struct statx info;
  return stat_path(out, &info) == 0 || make_folder(out);
}

bool plays_proc_folder(const char* path, std::size_t length) {
  const std::size_t own = strlen(kProcFolder);
  if (length <= own || path[length - own - 1] != '/' ||
      memcmp(path + length - own, kProcFolder, own) != 0 || starts_with(path, "/proc/") ||
      !has_cell()) {
    return false;
  }
  char there[kCellPathSize + 32], ours[kCellPathSize + 32];
  if (length >= sizeof there) return false;
  memcpy(there, path, length);
  there[length] = '\0';
  write_path(ours, sizeof ours);
  struct statx first, second;
  // By the file, because the way that the cell was given may lead through symbolic links.
  return stat_path(there, &first) == 0 && stat_path(ours, &second) == 0 &&
         first.stx_ino == second.stx_ino && first.stx_dev_major == second.stx_dev_major &&
         first.stx_dev_minor == second.stx_dev_minor;
}

}  // namespace ipcell
