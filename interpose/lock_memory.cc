// mlockall(2): locking the cell would put memory behind all of it, 1.6 GiB of its filesystem.
#include <sys/mman.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/ipc/shm.h"
#include "interpose/memory.h"
#include "interpose/process_cells.h"

namespace ipcell {

namespace {

// Reads the lines of /proc/self/maps, "START-END ...", and calls `visit(start, end)` for each.
template <class Visit>
bool for_each_mapping(Visit visit) {
  const Descriptor maps(open_at(AT_FDCWD, "/proc/self/maps", O_RDONLY));
  if (maps.fd() < 0) return false;
  u64 numbers[2] = {};
  u32 field = 0;  // 0: the start, 1: the end, 2: what does not matter
  char text[4096];
  long size;
  while ((size = sys::call(SYS_read, maps.fd(), sys::arg(text), sizeof text)) > 0) {
    for (long n = 0; n < size; ++n) {
      const char c = text[n];
      if (c == '\n') {
        visit(numbers[0], numbers[1]);
        numbers[0] = numbers[1] = field = 0;
      } else if (field < 2 && (c == '-' || c == ' ')) {
        ++field;
      } else if (field < 2) {
        numbers[field] = numbers[field] * 16 + static_cast<u64>(c <= '9' ? c - '0' : c - 'a' + 10);
      }
    }
  }
  return size == 0;
}

template <class IsCell>
bool is_within_limit(IsCell is_cell) {
  u64 bytes = 0;
  const bool is_read = for_each_mapping([&](u64 from, u64 to) {
    if (!is_cell(from, to)) bytes += to - from;
  });
  return is_read && bytes <= memory_lock_limit();
}

u64 start_of(const ProcessCell& known) {
  return reinterpret_cast<std::uintptr_t>(known.cell.base());
}

}  // namespace

long lock_all_but_cells(long flags) {
  if ((flags & MCL_ONFAULT) != 0) return sys::call(SYS_mlockall, flags);
  // All that can fail fails here; memory comes behind it below.
  const long error = sys::call(SYS_mlockall, flags | MCL_ONFAULT);
  if (error == -EINVAL) return sys::call(SYS_mlockall, flags);
  const auto is_cell = [](u64 from, u64 to) {
    bool is_any = false;
    for_each_cell([&](u32, const ProcessCell& known) {
      const auto meets = [&](u64 start, u64 size) { is_any |= from < start + size && to > start; };
      meets(start_of(known), kMappedSize);
      if (!kMapsWholeCell) known.cell.parts().for_each(meets);
    });
    return is_any;
  };
  // The limit that is too low may be so for the cell alone.
  if (error != 0 && (error != -ENOMEM || !is_within_limit(is_cell))) return error;
  for_each_cell([](u32, const ProcessCell& known) {
    const auto unlock = [](u64 start, u64 size) {
      sys::call(SYS_munlock, static_cast<long>(start), static_cast<long>(size));
    };
    unlock(start_of(known), kMappedSize);
    if (!kMapsWholeCell) known.cell.parts().for_each(unlock);
  });
  const bool is_read = for_each_mapping([&](u64 from, u64 to) {
    if (!is_cell(from, to))
      sys::call(SYS_mlock, static_cast<long>(from), static_cast<long>(to - from));
  });
  if (!is_read) return sys::call(SYS_mlockall, flags);
  // What is mapped from now on is locked as was asked for.
  return (flags & MCL_FUTURE) != 0 ? sys::call(SYS_mlockall, MCL_FUTURE) : 0;
}

}  // namespace ipcell
