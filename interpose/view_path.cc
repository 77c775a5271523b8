// Which paths, and which descriptors, are views.
#include "interpose/views.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"
#include "interpose/normal_path.h"

namespace ipcell {

namespace {

const View* view_of(const NormalPath& path) { return view_at(path.text(), path.length()); }

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
  if (path[0] != '/' && !so_far.start_at(dirfd)) return;
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
  const char* const twin = twin_of(*view_);
  const std::size_t length = strlen(twin);
  memcpy(room_, twin, length);
  memcpy(room_ + length, suffix, strlen(suffix) + 1);
  path_ = room_;
}

const View* view_of_descriptor(int fd) {
  static constexpr char kPrefix[] = "/memfd:";
  static constexpr char kSuffix[] = " (deleted)";
  char text[kNormalPathRoom];
  const long size = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(DescriptorLink(fd).path()),
                              sys::arg(text), sizeof text);
  constexpr long kAround = sizeof kPrefix - 1 + sizeof kSuffix - 1;
  if (size <= kAround || memcmp(text, kPrefix, sizeof kPrefix - 1) != 0) return nullptr;
  return view_at(text + sizeof kPrefix - 1, static_cast<std::size_t>(size - kAround));
}

}  // namespace ipcell
