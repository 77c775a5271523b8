// Which paths, and which descriptors, are views.
#include "interpose/views.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"
#include "interpose/normal_path.h"
#include "interpose/proc_folder.h"
#include "interpose/proc_list.h"

namespace ipcell {

namespace {

const View* view_of(const NormalPath& path) { return view_at(path.text(), path.length()); }

void write_joined(char* out, const char* path, const char* suffix) {
  const std::size_t length = strlen(path);
  memcpy(out, path, length);
  memcpy(out + length, suffix, strlen(suffix) + 1);
}

}  // namespace

bool NormalPath::start_at(int dirfd) {
  if (dirfd < 0 && dirfd != AT_FDCWD) return false;
  const DescriptorLink descriptor(dirfd);
  const char* const link = dirfd >= 0 ? descriptor.path() : "/proc/thread-self/cwd";
  const long length =
      sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link), sys::arg(text_), kNormalPathRoom);
  // "(unreachable)/...", or a descriptor of no folder; cut off at the room's end.
  if (length <= 0 || text_[0] != '/' || length == kNormalPathRoom) return false;
  length_ = length == 1 ? 0 : static_cast<std::size_t>(length);
  return true;
}

DescriptorLink::DescriptorLink(int fd) {
  static constexpr char kFolder[] = "/proc/thread-self/fd/";
  TextWriter out(text_, sizeof text_);
  out.put(kFolder);
  out.put_unsigned(static_cast<unsigned>(fd), 0);
  out.put_char('\0');
}

void ViewPath::find(int dirfd, const char* path) {
  NormalPath so_far;
  if (path[0] != '/') {
    if (!so_far.start_at(dirfd)) return;
    if (plays_proc_folder(so_far.text(), so_far.length())) so_far.start_in("/proc/sysvipc");
  }
  const char* suffix = "";
  for (const char* at = path; *at != '\0';) {
    const std::size_t slashes = strspn(at, "/");
    const std::size_t length = strcspn(at + slashes, "/");
    // A view is no folder: what the kernel says of something behind it, it says of the twin's too.
    if (slashes != 0 && view_of(so_far) != nullptr) {
      suffix = length == 0 ? "/" : "/.";
      break;
    }
    if (!so_far.push(at + slashes, length)) return;
    at += slashes + length;
  }
  view_ = view_of(so_far);
  if (view_ == nullptr) return;
  write_joined(room_, twin_of(*view_), suffix);
  write_joined(own_, view_->path, suffix);
  path_ = room_;
}

const View* view_of_opened(int fd, const char* path) {
  if (!ends_in_view_name(path)) return nullptr;
  const LastName last(path);
  struct statx opened, own;
  if (sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_INO, sys::arg(&opened)) != 0)
    return nullptr;
  const View* view;
  for (u32 n = 0; (view = view_by_index(n)) != nullptr; ++n) {
    if (!last.is_of(*view)) continue;
    if (sys::call(SYS_statx, AT_FDCWD, sys::arg(view->path), 0, STATX_INO, sys::arg(&own)) == 0 &&
        own.stx_ino == opened.stx_ino && own.stx_dev_major == opened.stx_dev_major &&
        own.stx_dev_minor == opened.stx_dev_minor) {
      return view;
    }
  }
  return nullptr;
}

SnapshotOf::SnapshotOf(int fd) {
  constexpr std::size_t kPrefix = 7, kSuffix = 10;  // "/memfd:", " (deleted)"
  const long result = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(DescriptorLink(fd).path()),
                                sys::arg(text_), sizeof text_);
  const std::size_t size = result > 0 ? static_cast<std::size_t>(result) : 0;
  if (size <= kPrefix + kSuffix || memcmp(text_, "/memfd:", kPrefix) != 0) return;
  const char* const label = text_ + kPrefix;
  const std::size_t length = size - kPrefix - kSuffix;
  view_ = view_at(label, length);
  if (view_ != nullptr) {
    own_ = view_->path;
    twin_ = twin_of(*view_);
    return;
  }
  ProcList list;
  if (!list.parse(label, length)) return;
  text_[kPrefix + length] = '\0';
  own_ = twin_ = label;
}

}  // namespace ipcell
