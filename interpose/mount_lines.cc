// The lines that our mounts have in /proc/PID/mounts and mountinfo, behind the kernel's.
#include <fcntl.h>

#include "core/base/file.h"
#include "core/ipc/text.h"
#include "interpose/normal_path.h"
#include "interpose/proc_list.h"
#include "interpose/process.h"

namespace ipcell {

namespace {

// Numbers of mounts that are far from the kernel's.
constexpr u32 kFirstNumber = 1u << 30;

// Linux: fs/proc_namespace.c:mangle()
void put_escaped(TextWriter& out, const char* text) {
  for (; *text != '\0'; ++text) {
    if (strchr(" \t\n\\#", *text) == nullptr) {
      out.put_char(*text);
      continue;
    }
    const u32 c = static_cast<u8>(*text);
    out.put_char('\\');
    for (u32 shift : {6u, 3u, 0u}) out.put_char(static_cast<char>('0' + (c >> shift & 7)));
  }
}

// Linux: fs/proc_namespace.c:show_vfsmnt()
void put_mount(TextWriter& out, const QueueMount& mount) {
  put_escaped(out, mount.source);
  out.put_char(' ');
  put_escaped(out, mount.path);
  out.put(" mqueue rw,relatime 0 0\n");
}

// Linux: fs/proc_namespace.c:show_mountinfo(). The device is that which stat(2) tells of the
// folder.
void put_info(TextWriter& out, const QueueMount& mount, u64 parent) {
  struct statx info = {};
  stat_path(current_cell().place.folder.text, &info);
  out.put_unsigned(kFirstNumber + mount.number, 0);
  out.put_char(' ');
  out.put_unsigned(parent, 0);
  out.put_char(' ');
  out.put_unsigned(info.stx_dev_major, 0);
  out.put_char(':');
  out.put_unsigned(info.stx_dev_minor, 0);
  out.put(" / ");
  put_escaped(out, mount.path);
  out.put(" rw,relatime - mqueue ");
  put_escaped(out, mount.source);
  out.put(" rw\n");
}

// Copies the kernel's lines; the number that the first of them begins with.
u64 copy(int fd, TextFile& out) {
  char piece[1024];
  u64 first = 0;
  bool is_first = true;
  long size;
  while ((size = sys::call(SYS_read, fd, sys::arg(piece), sizeof piece)) > 0) {
    Reader in = {piece, piece + size};
    if (is_first) in.number(10, &first);
    is_first = false;
    out.write(piece, static_cast<std::size_t>(size));
  }
  return first;
}

}  // namespace

void show_mounts(int fd, const ProcList& list, TextFile& out) {
  const u64 parent = copy(fd, out);
  const QueueMount* mount;
  u32 previous = 0;
  for (u32 n = 0; (mount = mount_by_index(n)) != nullptr; ++n) {
    // One that is known by two paths has two records.
    if (mount->number == previous) continue;
    previous = mount->number;
    char line[4 * kNormalPathRoom + 512];
    TextWriter text(line, sizeof line);
    if (list.is("mountinfo")) {
      put_info(text, *mount, parent);
    } else {
      put_mount(text, *mount);
    }
    if (!text.overflowed()) out.write(line, text.used());
  }
}

}  // namespace ipcell
