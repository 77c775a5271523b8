// Which paths, and which descriptors, are views.
#include "interpose/views.h"

#include <fcntl.h>
#include <string.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"

namespace ipcell {

namespace {

// Longest path looked at, normalised. Views are short; the rest is room for a current folder that
// "../../.." leads out of.
constexpr std::size_t kRoom = 512;

// An absolute path that grows by one component at a time; "/" is the empty text.
class NormalPath {
 public:
  // Starts at the folder of a relative path. False if it cannot be told.
  bool start_at(int dirfd);

  // Applies the next component. False if the path gets too long to be a view's.
  bool push(const char* name, std::size_t length) {
    if (length == 1 && name[0] == '.') return true;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
      while (length_ > 0 && text_[--length_] != '/') continue;
      return true;
    }
    if (length_ + 1 + length > kRoom) return false;
    text_[length_] = '/';
    memcpy(text_ + length_ + 1, name, length);
    length_ += length + 1;
    return true;
  }

  const View* view() const { return view_at(text_, length_); }

 private:
  char text_[kRoom];
  std::size_t length_ = 0;
};

bool NormalPath::start_at(int dirfd) {
  if (dirfd < 0 && dirfd != AT_FDCWD) return false;
  const DescriptorLink descriptor(dirfd);
  const char* const link = dirfd >= 0 ? descriptor.path() : "/proc/thread-self/cwd";
  const long length = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link), sys::arg(text_), kRoom);
  // "(unreachable)/...", or a descriptor of no folder; cut off at kRoom.
  if (length <= 0 || text_[0] != '/' || length == kRoom) return false;
  length_ = length == 1 ? 0 : static_cast<std::size_t>(length);
  return true;
}

}  // namespace

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
    if (slashes != 0 && so_far.view() != nullptr) {
      suffix = length == 0 ? "/" : "/.";
      break;
    }
    if (!so_far.push(at + slashes, length)) return;
    at += slashes + length;
  }
  view_ = so_far.view();
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
  char text[kRoom];
  const long size = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(DescriptorLink(fd).path()),
                              sys::arg(text), sizeof text);
  constexpr long kAround = sizeof kPrefix - 1 + sizeof kSuffix - 1;
  if (size <= kAround || memcmp(text, kPrefix, sizeof kPrefix - 1) != 0) return nullptr;
  return view_at(text + sizeof kPrefix - 1, static_cast<std::size_t>(size - kAround));
}

}  // namespace ipcell
