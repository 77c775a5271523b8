// /proc/PID/numa_maps of this process: "file=" tells an attachment's name. Others' lists don't say
// which part of the cell's file a mapping shows, and stay the kernel's.
#include <string.h>

#include "core/base/sys.h"
#include "core/ipc/text.h"
#include "interpose/proc_list.h"
#include "interpose/process.h"

namespace ipcell {

namespace {

// Reads a list in pieces, and writes it anew.
class NumaList {
 public:
  NumaList(Task& task, TextFile& out) : task_(task), out_(out) {}

  void copy(int fd) {
    char piece[1024];
    long size;
    while ((size = sys::call(SYS_read, fd, sys::arg(piece), sizeof piece)) > 0) {
      for (long n = 0; n < size; ++n) take(piece[n]);
    }
    flush();
  }

 private:
  // What of a line is read.
  enum class Part { Address, Rest, Name };

  void take(char c) {
    if (c == '\n') {
      put(c);
      part_ = Part::Address;
      address_ = 0;
      matched_ = 0;
      return;
    }
    if (part_ == Part::Address) read_address(c);
    if (part_ == Part::Name && c != ' ') return;
    part_ = part_ == Part::Name ? Part::Rest : part_;
    put(c);
    if (part_ == Part::Rest) look_for_name(c);
  }

  void read_address(char c) {
    Reader digit = {&c, &c + 1};
    u64 value;
    if (digit.number(16, &value)) {
      address_ = address_ * 16 + value;
    } else {
      part_ = Part::Rest;
    }
  }

  // Linux: fs/proc/task_mmu.c:show_numa_map(): the name's blank is escaped.
  void look_for_name(char c) {
    static constexpr char kName[] = " file=";
    matched_ = c == kName[matched_] ? matched_ + 1 : c == kName[0] ? 1 : 0;
    if (matched_ != sizeof kName - 1) return;
    matched_ = 0;
    MappedPart part;
    if (!sys_shm_own_part(task_, address_, address_ + 1, &part) || !part.is_ipc) return;
    char name[40];
    TextWriter text(name, sizeof name);
    text.put("/SYSV");
    text.put_hex(part.key, 8);
    text.put("\\040(deleted)");
    for (std::size_t n = 0; n < text.used(); ++n) put(name[n]);
    part_ = Part::Name;
  }

  void put(char c) {
    buffer_[used_++] = c;
    if (used_ == sizeof buffer_) flush();
  }
  void flush() {
    out_.write(buffer_, used_);
    used_ = 0;
  }

  Task& task_;
  TextFile& out_;
  Part part_ = Part::Address;
  u64 address_ = 0;
  std::size_t matched_ = 0;  // letters of " file="
  char buffer_[512];
  std::size_t used_ = 0;
};

}  // namespace

void show_numa_maps(Task& task, int fd, TextFile& out) {
  NumaList list(task, out);
  list.copy(fd);
}

}  // namespace ipcell
