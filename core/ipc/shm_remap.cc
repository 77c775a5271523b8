// The calls that change mappings, where they meet attachments: the kernel counts mappings, so what
// it does to its VMAs is done again to the pieces of the address map.
#include <sys/mman.h>

#include <cerrno>

#include "core/ipc/reap.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

namespace ipcell {

namespace {

bool is_error(long result) { return result < 0 && result > -4096; }

// Cuts the piece that has the address inside in two. Linux: mm/vma.c:__split_vma()
void cut(Task& task, u64 address) {
  u32 index;
  if (task.addresses->split(address, &index))
    note_change(task, task.addresses->at(index).segment, {1, 0});
}

// Gives the pieces in [start, end) other flags, as far as they change. Linux: mm/mprotect.c,
// mm/mlock.c, mm/madvise.c
void change_flags(Task& task, u64 start, u64 end, const PieceFlags& flags) {
  AddressMap& map = *task.addresses;
  for (u64 at = start; at < end;) {
    i32 index = map.find_from(at);
    if (index < 0) return;
    Piece piece = map.at(static_cast<u32>(index));
    if (piece.start >= end) return;
    at = piece.end;
    if (((piece.flags & ~flags.cleared) | flags.set) == piece.flags) continue;
    cut(task, start);
    cut(task, end);
    index = map.find_from(piece.start > start ? piece.start : start);
    Piece& inside = map.at(static_cast<u32>(index));
    inside.flags = (inside.flags & ~flags.cleared) | flags.set;
    at = inside.end;
  }
}

// What a grown mapping has behind the segment's end is a SIGBUS, and no other segment's.
void guard_end(Task& task, const Piece& piece) {
  u64 pages;
  {
    LockedSegment segment(task, piece.segment);
    if (!segment) return;
    pages = segment->pages;
  }
  const u64 inside = pages > piece.page ? (pages - piece.page) * kPage : 0;
  if (piece.size() <= inside) return;
  const u64 start = piece.start + inside;
  if (task.addresses->file.map_nothing(start, piece.end - start) == 0) return;
  sys::call(SYS_munmap, static_cast<long>(start), static_cast<long>(piece.end - start));
}

// Linux: mm/mremap.c. The call was made, and gave `address`.
void replay_remap(Task& task, const RemapCall& call, u64 address) {
  AddressMap& map = *task.addresses;
  const u64 old_size = align_up(call.old_size, kPage), new_size = align_up(call.new_size, kPage);
  if ((call.flags & MREMAP_FIXED) != 0) forget_range(task, address, address + new_size);
  const i32 index = map.find(call.old_address);
  if (index < 0) return;
  Piece moved = map.at(static_cast<u32>(index));
  if (address == call.old_address && old_size != 0) {
    if (new_size < old_size) {
      forget_range(task, address + new_size, address + old_size);
    } else if (new_size > old_size) {
      map.at(static_cast<u32>(index)).end = address + new_size;
      guard_end(task, map.at(static_cast<u32>(index)));
    }
    return;
  }
  moved.page += (call.old_address - moved.start) / kPage;
  moved.start = address;
  moved.end = address + new_size;
  if (!map.make_room(1)) return;
  map.add(moved);
  note_change(task, moved.segment, {1, 0});
  guard_end(task, moved);
  if (old_size != 0 && (call.flags & MREMAP_DONTUNMAP) == 0)
    forget_range(task, call.old_address, call.old_address + old_size);
}

template <class Call>
long with_map(Task& task, Call call) {
  const Critical critical(task);
  long result;
  {
    LockedMap locked(task);
    result = call();
  }
  if (task.cell->is_poisoned()) return result;
  remove_doomed_met(task);
  reap_met(task);
  return result;
}

}  // namespace

void forget_range(Task& task, u64 start, u64 end) {
  AddressMap& map = *task.addresses;
  cut(task, start);
  cut(task, end);
  for (;;) {
    const i32 index = map.find_from(start);
    if (index < 0 || map.at(static_cast<u32>(index)).start >= end) return;
    const u64 segment = map.at(static_cast<u32>(index)).segment;
    map.erase(static_cast<u32>(index));
    note_change(task, segment, {0, 1});
  }
}

long sys_munmap(Task& task, u64 address, u64 size) {
  return with_map(task, [&] {
    const long result = sys::call(SYS_munmap, static_cast<long>(address), static_cast<long>(size));
    if (result == 0) forget_range(task, address, align_up(address + size, kPage));
    return result;
  });
}

long sys_mmap_fixed(Task& task, const SystemCall& call) {
  return with_map(task, [&] {
    const long result = call.make();
    if (!is_error(result)) {
      const u64 start = static_cast<unsigned long>(result);
      forget_range(task, start, align_up(start + static_cast<unsigned long>(call.b), kPage));
    }
    return result;
  });
}

long sys_change_mapping(Task& task, const SystemCall& call, const PieceFlags& flags) {
  return with_map(task, [&] {
    const long result = call.make();
    const u64 start = static_cast<unsigned long>(call.a) / kPage * kPage;
    const u64 end =
        align_up(static_cast<unsigned long>(call.a) + static_cast<unsigned long>(call.b), kPage);
    if (result == 0) change_flags(task, start, end, flags);
    return result;
  });
}

long sys_change_all_mappings(Task& task, const SystemCall& call, const PieceFlags& flags) {
  return with_map(task, [&] {
    const long result = call.make();
    if (result == 0) change_flags(task, 0, ~0ull, flags);
    return result;
  });
}

long sys_mremap(Task& task, const RemapCall& call) {
  return with_map(task, [&] {
    const long result = sys::call(
        SYS_mremap, static_cast<long>(call.old_address), static_cast<long>(call.old_size),
        static_cast<long>(call.new_size), call.flags, static_cast<long>(call.new_address));
    if (!is_error(result)) replay_remap(task, call, static_cast<unsigned long>(result));
    return result;
  });
}

}  // namespace ipcell
