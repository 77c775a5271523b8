// Lists of /proc/PID that the kernel's are not enough for: maps and smaps, where attachments are to
// look as such (maps.cc), numa_maps as well (numa_maps.cc), mounts and mountinfo, which shall have
// our own mounts (mount_lines.cc).
//
// A list that nothing is to be changed in is the kernel's own file. Raw system calls alone, no
// allocation.
#pragma once

#include <string.h>

#include "interpose/mounts.h"
#include "interpose/text_file.h"

namespace ipcell {

// A text that is read from the front.
struct Reader {
  const char* at;
  const char* end;

  bool skip(char wanted) {
    if (at == end || *at != wanted) return false;
    ++at;
    return true;
  }
  bool skip(const char* wanted) {
    for (; *wanted != '\0'; ++wanted) {
      if (!skip(*wanted)) return false;
    }
    return true;
  }
  // At least one digit.
  bool number(u64 base, u64* value);
};

// Which list a path is of: "/proc/PID/NAME" or "/proc/PID/task/TID/NAME".
struct ProcList {
  u64 pid;
  const char* name;  // in the path
  std::size_t length;

  // False if it is of none.
  bool parse(const char* path, std::size_t path_length);
  bool is(const char* wanted) const {
    return strlen(wanted) == length && memcmp(name, wanted, length) == 0;
  }
};
constexpr std::size_t kProcListRoom = 64;

// The kernel has opened `fd` to read, with `flags`. If it is such a list, and something is to be
// changed in it, it becomes a text that has it so.
void show_list(int fd, int flags);

// --- maps.cc

// True if the list is this process's, and it has attached something.
bool has_own_attachments(const ProcList& list);
// True if the list has attachments in it. `fd` stands at its beginning afterwards.
bool has_attachments(int fd, const ProcList& list);
// Writes the text.
void show_attachments(int fd, const ProcList& list, TextFile& out);

// --- numa_maps.cc

void show_numa_maps(Task& task, int fd, TextFile& out);

// --- mount_lines.cc

void show_mounts(int fd, const ProcList& list, TextFile& out);

}  // namespace ipcell
