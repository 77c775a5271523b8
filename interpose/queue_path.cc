#include "interpose/queue_path.h"

#include <fcntl.h>

#include "core/ipc/mqueue_file.h"
#include "core/ipc/text.h"
#include "interpose/proc_folder.h"
#include "interpose/process.h"
#include "interpose/views.h"

namespace ipcell {

namespace {

// A pipe's number is never 0: nothing is there.
constexpr u64 kNoSerial = 0;

// /proc/self/fd/N, /proc/PID/fd/N, /dev/fd/N, /dev/stdin and its like.
bool is_descriptor_path(const char* path) {
  return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
         strncmp(path, "/dev/std", 8) == 0;
}

}  // namespace

bool QueuePath::may_be_relative(int dirfd, const char* path) {
  if (dirfd == AT_FDCWD ? is_current_folder() : is_known_folder(dirfd)) return true;
  return strstr(path, "mqueue") != nullptr;
}

void QueuePath::be_folder(const QueueMount& mount) {
  if (current_task() == nullptr) return;
  mount_ = &mount;
  const QueueFolder folder(mount);
  memcpy(room_, folder.text(), strlen(folder.text()) + 1);
  path_ = room_;
  exists_ = true;
  kind_ = QueuePathKind::Folder;
}

// `rest`: what follows the name in the path.
void QueuePath::be_queue(const char* name, std::size_t length, const char* rest) {
  Task* const task = current_task();
  if (task == nullptr) return;
  memcpy(name_, name, length);
  name_[length] = '\0';
  exists_ = sys_mq_stat_name(*task, name_, &status_) == 0;
  const bool has_slash = *rest != '\0';
  const bool has_more = rest[strspn(rest, "/")] != '\0';
  // A program that gave up the right to go there kept a descriptor of the pipes' folder.
  task->mqueue_folder = mqueue_folder();
  const MqueuePath pipe(*task, exists_ ? status_.serial : kNoSerial);
  TextWriter text(room_, sizeof room_);
  if (pipe.folder() >= 0) {
    text.put(DescriptorLink(static_cast<int>(pipe.folder())).path());
    text.put("/");
  }
  text.put(pipe.text());
  text.put(has_more ? "/." : has_slash ? "/" : "");
  text.put_char('\0');
  path_ = room_;
  kind_ = has_more    ? QueuePathKind::Behind
          : has_slash ? QueuePathKind::Slash
                      : QueuePathKind::Queue;
}

void QueuePath::find_link(const char* path) {
  char text[kNormalPathRoom];
  constexpr std::size_t kSize = sizeof text - 1;
  const auto read = [&] {
    const long length = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(path), sys::arg(text), kSize);
    return length > 0 ? static_cast<std::size_t>(length) : 0;
  };
  std::size_t length = read();
  text[length] = '\0';
  // /dev/stdin and its like lead to another link first.
  if (strncmp(text, "/proc/self/fd/", 14) == 0) {
    memcpy(room_, text, length + 1);
    path = room_;
    length = read();
  }
  if (const QueueMount* const mount = played_mount(text, length)) return be_folder(*mount);
  if (!is_like_queue_pipe(text, length)) return;
  Task* const task = current_task();
  const u64 inode = task != nullptr ? mqueue_inode_at(*task, AT_FDCWD, path) : 0;
  if (inode == 0 || sys_mq_stat_inode(*task, inode, &status_) != 0) return;
  exists_ = true;
  kind_ = QueuePathKind::Link;
}

void QueuePath::find_proc_folder() {
  if (!write_proc_folder(room_, sizeof room_)) return;
  path_ = room_;
  kind_ = QueuePathKind::Elsewhere;
}

// False if it cannot be told where the path starts.
bool QueuePath::start_relative(int dirfd, NormalPath& so_far) const {
  const bool is_inside = dirfd == AT_FDCWD ? is_current_folder() : is_known_folder(dirfd);
  if (is_inside && !has_mounts()) {
    so_far.start_in(kFirstMount.path);
    return true;
  }
  if (!so_far.start_at(dirfd)) return false;
  const QueueMount* const mount = played_mount(so_far.text(), so_far.length());
  if (mount != nullptr) so_far.start_in(mount->path);
  return true;
}

void QueuePath::find(int dirfd, const char* path, Last last) {
  if (is_descriptor_path(path)) {
    if (is_proc_folder(path)) return find_proc_folder();
    if (last == Last::Followed) find_link(path);
    return;
  }
  NormalPath so_far;
  if (path[0] != '/' && !start_relative(dirfd, so_far)) return;
  bool was_inside = false;
  for (const char* at = path; *at != '\0';) {
    const char* const name = at + strspn(at, "/");
    const std::size_t length = strcspn(name, "/");
    const QueueMount* const mount = mount_at(so_far.text(), so_far.length());
    if (mount != nullptr) {
      was_inside = true;
      if (length >= kMqueueNameRoom) {
        // As a path of its own it is too long, too.
        kind_ = QueuePathKind::Elsewhere;
        path_ = name;
        return;
      }
    }
    if (length != 0 && !so_far.push(name, length)) return;
    at = name + length;
    if (mount != nullptr && so_far.length() > mount->length) {
      mount_ = mount;
      return be_queue(name, length, at);
    }
  }
  if (const QueueMount* const mount = mount_at(so_far.text(), so_far.length()))
    return be_folder(*mount);
  if (!was_inside) return;
  // What plays the folder has other neighbours.
  memcpy(room_, so_far.text(), so_far.length());
  memcpy(room_ + so_far.length(), "/", 2);
  if (so_far.length() != 0) room_[so_far.length()] = '\0';
  path_ = room_;
  kind_ = QueuePathKind::Elsewhere;
}

}  // namespace ipcell
