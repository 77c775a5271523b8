#include "interpose/text_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <initializer_list>

#include "core/base/sys.h"
#include "interpose/views.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

namespace ipcell {

namespace {

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
    const long file =
        sys::call(SYS_openat, AT_FDCWD, sys::arg(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0400);
    if (file >= 0) fd = file;
  }
  return fd;
}

}  // namespace

TextFile::TextFile(const char* label)
    : fd_(make_nameless_file(label)), room_(sys::soft_limit(RLIMIT_FSIZE, ~0ull)) {
  if (fd_ < 0) error_ = fd_;
}

TextFile::~TextFile() {
  if (fd_ >= 0) sys::call(SYS_close, fd_);
}

void TextFile::write(const char* text, std::size_t size) {
  // No SIGXFSZ for a file that the program knows nothing of.
  if (error_ == 0 && size > room_) error_ = -EFBIG;
  room_ -= size;
  for (std::size_t done = 0; error_ == 0 && done < size;) {
    const long result = sys::call(SYS_write, fd_, sys::arg(text + done), size - done);
    if (result < 0) error_ = result;
    if (result > 0) done += static_cast<std::size_t>(result);
  }
}

long TextFile::finish(int flags) {
  if (error_ != 0) return error_;
  sys::call(SYS_fcntl, fd_, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);

  // Once more with the program's own flags, in place of the first: a program may count on getting
  // the lowest free number.
  const long close_on_exec = flags & O_CLOEXEC;
  const long again =
      sys::call(SYS_openat, AT_FDCWD, sys::arg(DescriptorLink(static_cast<int>(fd_)).path()),
                (flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW)) | O_CLOEXEC, 0);
  if (again >= 0) {
    const long result = sys::call(SYS_dup3, again, fd_, close_on_exec);
    sys::call(SYS_close, again);
    if (result < 0) return result;
  } else {
    // No second descriptor to be had (EMFILE): the first does, for its seals keep writers out.
    sys::call(SYS_lseek, fd_, 0, SEEK_SET);
    if (close_on_exec == 0) sys::call(SYS_fcntl, fd_, F_SETFD, 0);
  }
  // is_like_snapshot() knows a text by this mode. Before, its owner may open it for writing.
  const long fd = fd_;
  sys::call(SYS_fchmodat, AT_FDCWD, sys::arg(DescriptorLink(static_cast<int>(fd)).path()), 0444);
  fd_ = -1;
  return fd;
}

}  // namespace ipcell
