// /dev/mqueue: which paths lead there, and what stands for them.
//
// The folder is played by one in the cell's own, with an empty file for each queue's name: programs
// list that one. A queue is played by its pipe. So most calls are made for the path of whichever
// plays the part (QueuePath::path()), and tell the truth by themselves, errors included; what
// differs is put right in what they give back (queue_stat.h), or done by the core.
//
//   queue_path.cc     which paths are meant
//   queue_folder.cc   the folder that plays /dev/mqueue, and the current folder
//   queue_file.cc     opening by path; what /proc tells of descriptors
//   queue_stat.cc     struct stat and its like
//   queue_exports.cc  libc's entries that change files; queue_name_exports.cc: names;
//                     queue_folder_exports.cc: that list folders, and tell of the current one
//
// A path is compared as text, as a view's (views.h) and with the same blind spots. Relative paths
// are seen if the current folder, or the descriptor, is known to be that folder, or if "mqueue"
// stands in them.
//
// All of it may be called from signal handlers and in children of vfork(2), but for what lists.
#pragma once

#include <string.h>

#include "core/syscalls.h"
#include "interpose/descriptors.h"
#include "interpose/mounts.h"
#include "interpose/normal_path.h"

namespace ipcell {

enum class QueuePathKind : u8 {
  None,       // nothing of this
  Folder,     // where queues are shown: /dev/mqueue itself, or another mount
  Queue,      // a name in it; there may be no such queue
  Slash,      // the same with a slash behind it
  Behind,     // something behind a name
  Link,       // leads to an open queue: /proc/self/fd/N
  Elsewhere,  // out of the folder again, or a name that is too long; or /proc/sysvipc, played
};

// True if relative paths start in /dev/mqueue.
bool is_current_folder();

class QueuePath {
 public:
  enum class Last { Followed, NotFollowed };  // a symbolic link at the path's end

  QueuePath(int dirfd, const char* path, Last last = Last::Followed) : path_(path) {
    if (may_be(dirfd, path)) [[unlikely]]
      find(dirfd, path, last);
  }
  QueuePath(const QueuePath&) = delete;
  QueuePath& operator=(const QueuePath&) = delete;

  explicit operator bool() const { return kind_ != QueuePathKind::None; }
  bool is(QueuePathKind kind) const { return kind_ == kind; }
  // A queue's file, if that exists().
  bool is_queue() const { return kind_ == QueuePathKind::Queue || kind_ == QueuePathKind::Link; }
  // A place in the folder.
  bool is_inside() const {
    return kind_ == QueuePathKind::Queue || kind_ == QueuePathKind::Slash ||
           kind_ == QueuePathKind::Behind;
  }
  // What to ask libc or the kernel about: the program's own path, if it is None or a Link. With a
  // name of no queue it leads nowhere, and nothing must be made there.
  const char* path() const { return path_; }
  // Of a queue, or of what a slash follows.
  const char* name() const { return name_; }
  bool exists() const { return exists_; }
  u64 inode() const { return status_.inode; }
  // Where that is: of the folder, and what is inside.
  const QueueMount& mount() const { return *mount_; }

 private:
  static bool may_be(int dirfd, const char* path) {
    if (path == nullptr) return false;
    if (has_mounts()) [[unlikely]]
      return path[0] != '\0';
    if (path[0] != '/') return path[0] != '\0' && may_be_relative(dirfd, path);
    if (path[1] == 'd') {
      if (path[2] != 'e' || path[3] != 'v' || path[4] != '/') return false;
      return (path[5] == 'm' && path[6] == 'q') || (path[5] == 'f' && path[6] == 'd') ||
             (path[5] == 's' && path[6] == 't') || path[5] == '/' || path[5] == '.';
    }
    if (path[1] != 'p') return path[1] == '/' || path[1] == '.';
    return path[2] == 'r' && path[3] == 'o' && path[4] == 'c' && path[5] == '/' &&
           (strstr(path, "/fd/") != nullptr || is_proc_folder(path));
  }
  // "/proc/sysvipc", or with slashes behind it.
  static bool is_proc_folder(const char* path) {
    constexpr std::size_t kLength = 13;
    return strncmp(path, "/proc/sysvipc", kLength) == 0 &&
           path[kLength + strspn(path + kLength, "/")] == '\0';
  }
  static bool may_be_relative(int dirfd, const char* path);
  void find(int dirfd, const char* path, Last last);
  void find_link(const char* path);
  void find_proc_folder();
  bool start_relative(int dirfd, NormalPath& so_far) const;
  void be_folder(const QueueMount& mount);
  void be_queue(const char* name, std::size_t length, const char* rest);

  QueuePathKind kind_ = QueuePathKind::None;
  bool exists_ = false;
  const QueueMount* mount_ = &kFirstMount;
  const char* path_;
  MqueueStatus status_;  // if it exists
  char name_[kMqueueNameRoom];
  char room_[520];
};

// --- queue_folder.cc

// The folder that plays a mount, as a path; made if it is missing. Only with a task.
class QueueFolder {
 public:
  explicit QueueFolder(const QueueMount& mount);
  const char* text() const { return text_; }

 private:
  char text_[480];
};
// The mount that the folder at `path` plays, as the kernel names descriptors of it; nullptr if it
// plays none. Maps the cell if the text looks like it.
const QueueMount* played_mount(const char* path, std::size_t length);
// True if that is the inode number of such a folder that was met.
bool is_queue_folder_inode(u64 inode);
// Gives it the names of the queues that there are now.
void list_queues(Task& task, const QueueMount& mount);
// The program changed its current folder.
void forget_current_folder();

// --- queue_file.cc

// open(2) of what `at` tells of: a descriptor or -errno.
long open_queue_path(const QueuePath& at, int flags, u32 mode);
// The queue's line in a file without a name, for libc's streams: a descriptor or -errno.
long open_queue_text(const QueuePath& at, int flags, u32 mode);
// True if `text` may be how the kernel names a queue's pipe.
bool is_like_queue_pipe(const char* text, std::size_t length);
// What readlink(2) tells of `path`, which gave `length` bytes: they are replaced if they name the
// folder, or a queue's pipe. The length then.
long show_queue_link(int dirfd, const char* path, char* text, std::size_t size, long length);
// The queue that `fd` is open on, however it came to this process.
bool is_queue_descriptor(int fd);

}  // namespace ipcell
