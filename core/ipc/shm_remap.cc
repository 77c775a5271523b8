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

using sys::is_error;

// Cuts the piece that has the address inside in two. Linux: mm/vma.c:__split_vma()
void cut(Task& task, u64 address) {
  u32 index;
  if (task.addresses->split(address, &index))
    note_change(task, task.addresses->at(index).segment, {1, 0});
}

// True if `upper` goes on where `lower` ends, in address and in what is mapped, with those flags.
bool continues(const Piece& lower, const Piece& upper) {
  return lower.end == upper.start && lower.attachment == upper.attachment &&
         lower.page + lower.size() / kPage == upper.page;
}

// What is moved to where a neighbour goes on becomes a part of that. Linux: mm/vma.c:copy_vma(),
// vma_merge_new_range()
bool joins_neighbour(AddressMap& map, const Piece& moved) {
  const i32 below = map.find(moved.start - 1);
  if (below >= 0) {
    Piece& piece = map.at(static_cast<u32>(below));
    if (piece.flags == moved.flags && continues(piece, moved)) {
      map.resize(static_cast<u32>(below), piece.start, moved.end);
      return true;
    }
  }
  const i32 above = map.find(moved.end);
  if (above < 0) return false;
  const Piece& piece = map.at(static_cast<u32>(above));
  if (piece.flags != moved.flags || !continues(moved, piece)) return false;
  map.resize(static_cast<u32>(above), moved.start, piece.end);
  return true;
}

// Gives a part of the piece at `index`, which is not all of it, to a neighbour that has the flags
// already. The kernel does not make one VMA of two here, since it would have to close one; but it
// moves their border. Linux: mm/vma.c:vma_merge_existing_range()
bool move_border(AddressMap& map, u32 index, u64 start, u64 end, u32 flags) {
  const Piece& piece = map.at(index);
  if (start == piece.start && index + 1 < map.count()) {
    const Piece& below = map.at(index + 1);
    if (below.flags == flags && continues(below, piece)) {
      map.set_border(index, end);
      return true;
    }
  }
  if (end == piece.end && index > 0) {
    const Piece& above = map.at(index - 1);
    if (above.flags == flags && continues(piece, above)) {
      map.set_border(index - 1, start);
      return true;
    }
  }
  return false;
}

// Gives [start, end) of the piece at `index`, where it lies inside, other flags.
void change_part(Task& task, u32 index, u64 start, u64 end, u32 flags) {
  AddressMap& map = *task.addresses;
  const Piece piece = map.at(index);
  const bool is_whole = start == piece.start && end == piece.end;
  if (!is_whole && move_border(map, index, start, end, flags)) return;
  cut(task, start);
  cut(task, end);
  map.at(static_cast<u32>(map.find(start))).flags = flags;
}

// Gives the pieces in [start, end) other flags, as far as they change. Linux: mm/mprotect.c,
// mm/mlock.c, mm/madvise.c
void change_flags(Task& task, u64 start, u64 end, const PieceFlags& flags) {
  AddressMap& map = *task.addresses;
  for (u64 at = start; at < end;) {
    const i32 index = map.find_from(at);
    if (index < 0) return;
    const Piece piece = map.at(static_cast<u32>(index));
    if (piece.start >= end) return;
    const u64 from = piece.start > at ? piece.start : at;
    const u64 to = piece.end < end ? piece.end : end;
    const u32 wanted = (piece.flags & ~flags.cleared) | flags.set;
    if (wanted != piece.flags) change_part(task, static_cast<u32>(index), from, to, wanted);
    at = to;
  }
}

bool is_all_mapped(u64 start, u64 end) {
  return sys::call(SYS_msync, static_cast<long>(start), static_cast<long>(end - start), MS_ASYNC) ==
         0;
}

// How far the call came, which gave `result`: mprotect(2) and mlock(2) go up to what they can't do,
// and what they did before that remains.
u64 end_of_change(Task& task, const SystemCall& call, u64 start, u64 end, long result) {
  if (result == 0) return end;
  const bool is_protection = call.number != SYS_madvise && call.number != SYS_mlock &&
                             call.number != SYS_mlock2 && call.number != SYS_munlock;
  const bool meets_hole = result == -ENOMEM && !is_all_mapped(start, end);
  // madvise(2) goes past holes.
  if (call.number == SYS_madvise) return meets_hole ? end : start;
  if (!meets_hole && !(is_protection && result == -EACCES)) return start;
  AddressMap& map = *task.addresses;
  u64 done = start;
  for (i32 index = map.find_from(start); index >= 0; --index) {
    const Piece& piece = map.at(static_cast<u32>(index));
    if (piece.start >= end) break;
    const bool is_refused =
        is_protection && (piece.flags & kPieceReadOnly) != 0 && (call.c & PROT_WRITE) != 0;
    if (is_refused || (piece.start > start && !is_all_mapped(start, piece.start))) break;
    done = piece.end;
  }
  return done < end ? done : end;
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
  const int protection = static_cast<int>(piece.flags & kPieceProtection);
  const bool read_only = (piece.flags & kPieceReadOnly) != 0;
  if (task.addresses->file.map_nothing(start, piece.end - start, protection, read_only) == 0)
    return;
  sys::call(SYS_munmap, static_cast<long>(start), static_cast<long>(piece.end - start));
}

// Which pages of a source are mapped. Since Linux 6.17 holes are moved over, and what the target
// has there stays.
class SourcePages {
 public:
  explicit SourcePages(const RemapCall& call) {
    const u64 size = align_up(call.old_size, kPage);
    count_ = size / kPage;
    has_holes_ = (call.flags & MREMAP_FIXED) != 0 && count_ <= kMost &&
                 size == align_up(call.new_size, kPage) && call.old_address % kPage == 0 &&
                 !is_all_mapped(call.old_address, call.old_address + size);
    for (u64 n = 0; has_holes_ && n < count_; ++n) {
      const u64 page = call.old_address + n * kPage;
      if (is_all_mapped(page, page + kPage)) mapped_[n / 64] |= 1ull << (n % 64);
    }
  }
  // Whatever the move has replaced at its target is there no more.
  void forget_target(Task& task, u64 address, u64 size) const {
    if (!has_holes_) return forget_range(task, address, address + size);
    for (u64 n = 0; n < count_; ++n) {
      const u64 page = address + n * kPage;
      if ((mapped_[n / 64] >> (n % 64) & 1) != 0) forget_range(task, page, page + kPage);
    }
  }

 private:
  // In a longer one no holes are expected.
  static constexpr u64 kMost = 512;
  u64 count_;
  bool has_holes_;
  u64 mapped_[kMost / 64] = {};
};

// Linux: mm/mremap.c. The call was made, and gave `address`.
void replay_remap(Task& task, const RemapCall& call, const SourcePages& source, u64 address) {
  AddressMap& map = *task.addresses;
  u64 old_size = align_up(call.old_size, kPage);
  const u64 new_size = align_up(call.new_size, kPage);
  if ((call.flags & MREMAP_FIXED) != 0) source.forget_target(task, address, new_size);
  // What becomes smaller is unmapped first.
  if (new_size < old_size) {
    forget_range(task, call.old_address + new_size, call.old_address + old_size);
    old_size = new_size;
  }
  const i32 index = map.find(call.old_address);
  if (index < 0) return;
  Piece moved = map.at(static_cast<u32>(index));
  if (address == call.old_address && old_size != 0) {
    if (new_size > old_size) {
      map.at(static_cast<u32>(index)).end = address + new_size;
      guard_end(task, map.at(static_cast<u32>(index)));
    }
    return;
  }
  moved.page += (call.old_address - moved.start) / kPage;
  moved.start = address;
  moved.end = address + new_size;
  if (!map.make_room(1)) return;
  if (!joins_neighbour(map, moved)) {
    map.add(moved);
    note_change(task, moved.segment, {1, 0});
  }
  guard_end(task, moved);
  if (old_size != 0 && (call.flags & MREMAP_DONTUNMAP) == 0)
    forget_range(task, call.old_address, call.old_address + old_size);
}

// The arguments that mremap(2) refuses whatever is mapped.
bool is_invalid(const RemapCall& call) {
  const u64 old_size = align_up(call.old_size, kPage), new_size = align_up(call.new_size, kPage);
  if (call.old_address % kPage != 0 || new_size == 0) return true;
  if ((call.flags & MREMAP_FIXED) == 0) return false;
  return call.new_address % kPage != 0 || (call.flags & MREMAP_MAYMOVE) == 0 ||
         (call.new_address < call.old_address + old_size &&
          call.old_address < call.new_address + new_size);
}

// The kernel moves one mapping at a time. Our own may be one where there are two pieces.
bool crosses_pieces(AddressMap& map, const RemapCall& call) {
  const i32 index = map.find(call.old_address);
  if (index < 0 || is_invalid(call)) return false;
  const u64 old_size = align_up(call.old_size, kPage), new_size = align_up(call.new_size, kPage);
  // What becomes smaller is unmapped first.
  if (new_size <= old_size && (call.flags & MREMAP_FIXED) == 0) return false;
  const u64 moved = new_size < old_size ? new_size : old_size;
  return moved > map.at(static_cast<u32>(index)).end - call.old_address;
}

long make_remap(Task& task, const RemapCall& call) {
  const SourcePages source(call);
  const long result =
      sys::call(SYS_mremap, static_cast<long>(call.old_address), static_cast<long>(call.old_size),
                static_cast<long>(call.new_size), call.flags, static_cast<long>(call.new_address));
  if (!is_error(result)) replay_remap(task, call, source, static_cast<unsigned long>(result));
  return result;
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
    const u64 start = static_cast<unsigned long>(call.a) / kPage * kPage;
    const u64 end =
        align_up(static_cast<unsigned long>(call.a) + static_cast<unsigned long>(call.b), kPage);
    const long result = call.make();
    change_flags(task, start, end_of_change(task, call, start, end, result), flags);
    return result;
  });
}

void sys_forget_mapping(Task& task, u64 address, u64 size) {
  with_map(task, [&] {
    forget_range(task, address, align_up(address + size, kPage));
    return 0l;
  });
}

u64 sys_first_attached(Task& task, u64 address) {
  const LockedMap locked(task);
  const i32 index = task.addresses->find_from(address);
  return index >= 0 ? task.addresses->at(static_cast<u32>(index)).start : ~0ull;
}

// A call that moves several mappings, since Linux 6.17, and begins with another one, stops at an
// attachment with EFAULT.
u64 sys_remap_stop(const RemapCall& call, u64 address) {
  const u64 size = align_up(call.old_size, kPage);
  const bool may_move_several = (call.flags & MREMAP_FIXED) != 0 &&
                                size == align_up(call.new_size, kPage) && !is_invalid(call);
  const bool is_met = address > call.old_address && address - call.old_address < size;
  return may_move_several && is_met ? address - call.old_address : 0;
}

u64 sys_attached_size(Task& task, u64 address) {
  const LockedMap locked(task);
  const i32 index = task.addresses->find(address);
  return index >= 0 ? task.addresses->at(static_cast<u32>(index)).size() : 0;
}

void sys_note_all_mappings(Task& task, const PieceFlags& flags) {
  with_map(task, [&] {
    change_flags(task, 0, ~0ull, flags);
    return 0l;
  });
}

long sys_mremap(Task& task, const RemapCall& call) {
  return with_map(task, [&] {
    AddressMap& map = *task.addresses;
    constexpr long kCrosses = -EFAULT;
    if (crosses_pieces(map, call)) return kCrosses;
    const i32 first = map.find_from(call.old_address);
    const u64 moved = first >= 0 ? sys_remap_stop(call, map.at(static_cast<u32>(first)).start) : 0;
    if (moved == 0) return make_remap(task, call);
    RemapCall before = call;
    before.old_size = before.new_size = moved;
    const long result = make_remap(task, before);
    return is_error(result) ? result : kCrosses;
  });
}

}  // namespace ipcell
