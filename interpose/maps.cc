// /proc/PID/maps and smaps: the kernel knows an attachment as a mapping of the cell's file, which
// it is; programs are to see "/SYSV%08x (deleted)", as in Linux: ipc/shm.c.
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"
#include "interpose/proc_list.h"
#include "interpose/process.h"

namespace ipcell {

namespace {

// Linux: fs/proc/task_mmu.c:show_vma_header_prefix()
struct Line {
  u64 start, end, offset, major, minor, inode;
  char rights[5];

  bool parse(const char* text, std::size_t size) {
    Reader in = {text, text + size};
    if (!in.number(16, &start) || !in.skip('-') || !in.number(16, &end) || !in.skip(' '))
      return false;
    if (in.end - in.at < 4) return false;
    memcpy(rights, in.at, 4);
    rights[4] = '\0';
    in.at += 4;
    return in.skip(' ') && in.number(16, &offset) && in.skip(' ') && in.number(16, &major) &&
           in.skip(':') && in.number(16, &minor) && in.skip(' ') && in.number(10, &inode);
  }
};

// What stands before the path, and that itself.
constexpr std::size_t kPathColumn = 73;
constexpr std::size_t kLineRoom = 128;

// The line of `part`, from `start` to `end`.
std::size_t write_line(const Line& line, u64 start, u64 end, const MappedPart& part, char* out) {
  TextWriter text(out, kLineRoom);
  text.put_hex(start, 8);
  text.put_char('-');
  text.put_hex(end, 8);
  text.put_char(' ');
  text.put(line.rights);
  text.put_char(' ');
  text.put_hex(part.offset, 8);
  // The kernel's own mount of such files, the first of all.
  text.put(" 00:01 ");
  text.put_unsigned(static_cast<u32>(part.id), 0);
  text.put_char(' ');
  while (text.used() < kPathColumn) text.put_char(' ');
  text.put("/SYSV");
  text.put_hex(part.key, 8);
  text.put(" (deleted)\n");
  return text.used();
}

// ------------------------------------------------------------------------ a list

// Reads a list in pieces, and writes it anew.
class List {
 public:
  List(bool is_own, bool is_detailed) : is_own_(is_own), is_detailed_(is_detailed) {}

  // True if `fd`, read from where it stands, has a line of an attachment.
  bool has_attachments(int fd) { return read(fd, nullptr); }
  void rewrite(int fd, TextFile& out) { read(fd, &out); }

 private:
  // The longest that is looked at: all before the path.
  static constexpr std::size_t kHead = 100;

  bool read(int fd, TextFile* out);
  bool take(const char* text, std::size_t size, TextFile* out);
  bool show(const Line& line, TextFile* out) const;
  bool find(const Line& line, u64 start, MappedPart* part) const;

  bool is_own_;
  bool is_detailed_;
  char head_[kHead];
  std::size_t used_ = 0;   // of `head_`
  bool is_past_ = false;   // in what follows the head of a line
  bool is_shown_ = false;  // the line was written already
};

bool List::find(const Line& line, u64 start, MappedPart* part) const {
  // A shared mapping so far behind is rarely anything else; before it is met no cell is wanted.
  if (line.rights[3] != 's' || line.offset < kCellSize) return false;
  if (current_task() == nullptr) return false;
  const u64 device = makedev(static_cast<unsigned>(line.major), static_cast<unsigned>(line.minor));
  bool is_found = false;
  for_each_cell([&](u32 number, const ProcessCell& known) {
    if (line.inode != known.cell.inode() || device != known.cell.device()) return;
    const InCell in(number);
    Task& task = *current_task();
    is_found =
        is_own_ ? sys_shm_own_part(task, start, line.end, part)
                : sys_shm_part_at(task, start, line.end, line.offset + (start - line.start), part);
  });
  return is_found;
}

// Writes the lines of attachments that stand in one of the kernel's, where neighbours are one.
// False if there are none.
bool List::show(const Line& line, TextFile* out) const {
  bool is_any = false;
  MappedPart part;
  for (u64 at = line.start; at < line.end && find(line, at, &part); at = part.end) {
    if (part.end <= at) break;
    if (!part.is_ipc) continue;
    is_any = true;
    if (out == nullptr) break;
    char text[kLineRoom];
    // What follows a line of smaps tells of all of it.
    const u64 end = is_detailed_ ? line.end : part.end;
    out->write(text, write_line(line, at, end, part, text));
    if (is_detailed_) break;
  }
  return is_any;
}

// Takes a part of a line that has no end, or its end, in it. True if it is of an attachment.
bool List::take(const char* text, std::size_t size, TextFile* out) {
  const bool is_end = text[size - 1] == '\n';
  bool is_found = false;
  while (!is_past_ && size > 0) {
    head_[used_++] = *text++;
    --size;
    if (used_ < kHead && head_[used_ - 1] != '\n') continue;
    Line line;
    is_shown_ = is_found = line.parse(head_, used_) && show(line, out);
    if (!is_shown_ && out != nullptr) out->write(head_, used_);
    is_past_ = true;
  }
  if (is_past_ && !is_shown_ && size > 0 && out != nullptr) out->write(text, size);
  if (is_end) {
    used_ = 0;
    is_past_ = false;
  }
  return is_found;
}

bool List::read(int fd, TextFile* out) {
  char piece[1024];
  for (;;) {
    const long size = sys::call(SYS_read, fd, sys::arg(piece), sizeof piece);
    if (size <= 0) return false;
    const char* const end = piece + size;
    for (const char* at = piece; at < end;) {
      const void* const newline = memchr(at, '\n', static_cast<std::size_t>(end - at));
      const char* const next = newline != nullptr ? static_cast<const char*>(newline) + 1 : end;
      if (take(at, static_cast<std::size_t>(next - at), out) && out == nullptr) return true;
      at = next;
    }
  }
}

bool is_of_this_process(const ProcList& list) {
  return list.pid == static_cast<u64>(sys::call(SYS_getpid));
}

}  // namespace

bool has_own_attachments(const ProcList& list) {
  return is_of_this_process(list) && ipcell::has_attachments();
}

bool has_attachments(int fd, const ProcList& list) {
  const bool is_own = is_of_this_process(list);
  if (is_own && !ipcell::has_attachments()) return false;
  List lines(is_own, list.is("smaps"));
  const bool is_any = lines.has_attachments(fd);
  sys::call(SYS_lseek, fd, 0, SEEK_SET);
  return is_any;
}

void show_attachments(int fd, const ProcList& list, TextFile& out) {
  List lines(is_of_this_process(list), list.is("smaps"));
  lines.rewrite(fd, out);
}

}  // namespace ipcell
