#include "interpose/proc_list.h"

#include <fcntl.h>

#include "core/base/sys.h"
#include "interpose/process.h"
#include "interpose/views.h"

namespace ipcell {

bool Reader::number(u64 base, u64* value) {
  const char* const first = at;
  for (*value = 0; at != end; ++at) {
    const char c = *at;
    u64 digit = base;
    if (c >= '0' && c <= '9') digit = static_cast<u64>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<u64>(c - 'a') + 10;
    if (digit >= base) break;
    *value = *value * base + digit;
  }
  return at != first;
}

bool ProcList::parse(const char* path, std::size_t path_length) {
  Reader in = {path, path + path_length};
  u64 thread;
  if (path_length >= kProcListRoom || !in.skip("/proc/") || !in.number(10, &pid) || !in.skip('/'))
    return false;
  if (in.at != in.end && *in.at == 't' &&
      !(in.skip("task/") && in.number(10, &thread) && in.skip('/'))) {
    return false;
  }
  name = in.at;
  length = static_cast<std::size_t>(in.end - in.at);
  return is("maps") || is("numa_maps") || is("smaps") || is("mounts") || is("mountinfo");
}

void show_list(int fd, int flags) {
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) return;
  // The kernel knows the path, whichever way led there.
  char path[kProcListRoom];
  const long size = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(DescriptorLink(fd).path()),
                              sys::arg(path), sizeof path);
  ProcList list;
  if (size <= 0 || !list.parse(path, static_cast<std::size_t>(size))) return;
  path[size] = '\0';
  const bool is_numa = list.is("numa_maps");
  const bool is_maps = list.is("maps") || list.is("smaps");
  if (is_numa && !has_own_attachments(list)) return;
  if (is_maps && !has_attachments(fd, list)) return;
  Task* const task = current_task();
  if (task == nullptr) return;
  // A handler that never returns would leave descriptors open.
  const Critical critical(*task);
  TextFile text(path);
  if (is_maps) {
    show_attachments(fd, list, text);
  } else if (is_numa) {
    show_numa_maps(*task, fd, text);
  } else {
    show_mounts(fd, list, text);
  }
  const long made = text.finish(flags | O_CLOEXEC);
  sys::call(SYS_lseek, fd, 0, SEEK_SET);
  if (made < 0) return;
  sys::call(SYS_dup3, made, fd, flags & O_CLOEXEC);
  sys::call(SYS_close, made);
}

}  // namespace ipcell
