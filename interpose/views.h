// Views: files of /proc whose text is the cell's own, whichever libc entry opens or asks for them.
//
// An opened view is a descriptor of a sealed memory file with the text as it was at open(2); what
// is done with a sysctl's is in sysctl_file.h. What is not text comes from the view's *twin*: a
// file that every kernel has, of the same owner, mode and filesystem. What a call says of the twin,
// errors included, is what the kernel would say of the view, whether this kernel has System V IPC
// or not; only the inode number differs. A status is that of the kernel's own file, if it has one.
//
//   views.cc         the table of views, and opening one
//   view_path.cc     which paths and descriptors are views
//   view_stat.cc     the inode numbers in struct stat
//   view_exports.cc  libc's entries
//
// A path is compared as text: "//", "/./" and "/../" are understood, and so are paths relative to
// the current folder or a descriptor. Whichever other way leads to a view, it is known by its inode
// once the kernel has opened it, if the path ends in its name; a symbolic link of another name
// is not seen, for that would cost all files a system call.
//
// All of it may be called from signal handlers and in children of vfork(2): raw system calls alone,
// no allocation, 2 KiB of stack beside that of the core.
#pragma once

#include <string.h>

#include "core/base/types.h"

namespace ipcell {

class Task;

enum class ViewKind : u8 {
  ProcFile,  // read-only: fs/proc/generic.c
  Sysctl,    // fs/proc/proc_sysctl.c
};

struct View {
  // nullptr for sysctls. Writes the text from `*position` on, piece by piece, and moves it on.
  // Bytes written; 0 at the end. As sys_proc_msg().
  using Generate = std::size_t (*)(Task& task, u32* position, char* out, std::size_t size);

  const char* path;
  std::size_t folder_length;  // bytes of `path` before the last '/'
  std::size_t length;
  ViewKind kind;
  u32 inode;
  Generate generate;

  constexpr View(const char* view_path, ViewKind view_kind, u32 view_inode, Generate view_generate)
      : path(view_path), folder_length(0), length(0), kind(view_kind), inode(view_inode),
        generate(view_generate) {
    for (; path[length] != '\0'; ++length) {
      if (path[length] == '/') folder_length = length;
    }
  }
  const char* name() const { return path + folder_length + 1; }
  // Of ViewKind::Sysctl: its number in core/ipc/sysctl.h.
  u32 sysctl() const;
};

// The view whose normalised path is `path`, or nullptr.
const View* view_at(const char* path, std::size_t length);
// The one that stands there in the table; nullptr past its end.
const View* view_by_index(u32 index);
// A path's last component, whatever slashes follow.
class LastName {
 public:
  explicit LastName(const char* path) {
    const char* end = path + strlen(path);
    while (end > path && end[-1] == '/') --end;
    name_ = end;
    while (name_ > path && name_[-1] != '/') --name_;
    length_ = static_cast<std::size_t>(end - name_);
  }
  bool is_of(const View& view) const;

 private:
  const char* name_;
  std::size_t length_;
};
// True if a relative path could be a view's, by its last component.
bool ends_in_view_name(const char* path);
// The file that stands for the view; as the view's own path, it is shorter than kTwinRoom by two at
// least.
const char* twin_of(const View& view);
constexpr std::size_t kTwinRoom = 48;

// Glibc's struct stat, struct stat64 and struct statx. The file that defines stat() sees no header
// that declares it.
struct Stat;
struct Stat64;
struct Statx;
#if defined(__i386__)
struct StatTime64;

void put_inode(StatTime64* buffer, const View& view);
void put_inode(StatTime64* buffer, u64 inode);
bool is_like_namespace(const StatTime64* buffer);
bool is_like_snapshot(const StatTime64* buffer);
#endif

void put_inode(Stat* buffer, const View& view);
void put_inode(Stat64* buffer, const View& view);
void put_inode(Statx* buffer, const View& view);

void put_inode(Stat* buffer, u64 inode);
void put_inode(Stat64* buffer, u64 inode);
void put_inode(Statx* buffer, u64 inode);

// True if this can be the status of an opened /proc/PID/ns/ipc.
bool is_like_namespace(const Stat* buffer);
bool is_like_namespace(const Stat64* buffer);
bool is_like_namespace(const Statx* buffer);

// True if this can be the status of an opened view: reason enough to make a SnapshotOf.
bool is_like_snapshot(const Stat* buffer);
bool is_like_snapshot(const Stat64* buffer);
bool is_like_snapshot(const Statx* buffer);

// The path that leads to an open file. Not "/proc/self/": a thread may have unshared its
// descriptors.
class DescriptorLink {
 public:
  explicit DescriptorLink(int fd);
  const char* path() const { return text_; }

 private:
  char text_[40];
};

// What an open descriptor is a text of, however it came to this process: a view, a list of
// /proc/PID (proc_list.h), or nothing of ours.
class SnapshotOf {
 public:
  explicit SnapshotOf(int fd);
  SnapshotOf(const SnapshotOf&) = delete;
  SnapshotOf& operator=(const SnapshotOf&) = delete;

  explicit operator bool() const { return own_ != nullptr; }
  // nullptr if it is another text.
  const View* view() const { return view_; }
  // The file that its status is of; if that is not there, the twin, but for the inode.
  const char* own_path() const { return own_; }
  const char* twin() const { return twin_; }
  template <class Buffer>
  void put_inode(Buffer* buffer) const {
    if (view_ != nullptr) ipcell::put_inode(buffer, *view_);
  }

 private:
  const View* view_ = nullptr;
  const char* own_ = nullptr;
  const char* twin_ = nullptr;
  char text_[96];
};

// A path of the program's. All that most paths cost is the prefix test.
class ViewPath {
 public:
  ViewPath(int dirfd, const char* path) : path_(path) {
    if (may_be_view(path)) [[unlikely]]
      find(dirfd, path);
  }
  ViewPath(const ViewPath&) = delete;
  ViewPath& operator=(const ViewPath&) = delete;

  explicit operator bool() const { return view_ != nullptr; }
  const View& operator*() const { return *view_; }
  const View* operator->() const { return view_; }
  // What to ask libc or the kernel about: the twin (absolute), or the program's path if it is none
  // of a view.
  const char* path() const { return path_; }
  // The same for its status: the kernel's own file first, which it may not have.
  const char* own_path() const { return view_ != nullptr ? own_ : path_; }
  // For open(2) with O_CREAT: the twin itself, whatever follows the view in the path.
  const char* twin() const { return twin_of(*view_); }
  // What access(2) asks of the twin instead: who may write to a sysctl it doesn't know.
  int access_mode(int mode) const;
  // True if access(2) in this mode is denied, whatever the twin says.
  bool denies(int mode) const;

  template <class Buffer>
  void put_inode(Buffer* buffer) const {
    if (view_ != nullptr) ipcell::put_inode(buffer, *view_);
  }

 private:
  static bool may_be_view(const char* path) {
    if (path == nullptr) return false;
    if (path[0] != '/') return path[0] != '\0' && ends_in_view_name(path);
    if (path[1] != 'p') return path[1] == '/' || path[1] == '.';
    if (path[2] != 'r' || path[3] != 'o' || path[4] != 'c' || path[5] != '/') return false;
    return (path[6] == 's' && path[7] == 'y' && path[8] == 's') || path[6] == '/' || path[6] == '.';
  }
  void find(int dirfd, const char* path);

  const View* view_ = nullptr;
  const char* path_;
  char room_[kTwinRoom];
  char own_[kTwinRoom];
};

// open(2) of a view: a descriptor or -errno.
long open_view(const ViewPath& at, int flags);

// The view that `fd` is open on, which the kernel has opened at a path that none was seen in;
// nullptr if it is none.
const View* view_of_opened(int fd, const char* path);

}  // namespace ipcell
