#include "core/cell/segment_file.h"

#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/cell/futex.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ipcell {

namespace {

using sys::is_error;

constexpr u64 offset_of_page(u64 page) { return kCellSize + page * kPage; }

// A 32-bit process has no address space for all pages: its windows are some pages before the first
// one, the heap's last, from which duplicate_far() gets to any other. So many, that they do not fit
// into the gap where the program has just unmapped something that it is about to attach again.
constexpr bool kMapsAll = sizeof(long) == sizeof(u64);
constexpr u64 kShortWindow = 64 * kPage;
// Bytes of a window, for segments of `size` bytes in all. There is one page more, which the file
// does not have: see map_nothing().
constexpr u64 window_size(u64 size) { return kMapsAll ? size + kPage : kShortWindow; }

// A second mapping of the pages that stand at `source`.
long duplicate(u64 source, u64 size, u64 address, bool is_fixed) {
  const long flags = MREMAP_MAYMOVE | (is_fixed ? MREMAP_FIXED : 0);
  return sys::call(SYS_mremap, static_cast<long>(source), 0, static_cast<long>(size), flags,
                   static_cast<long>(address));
}

void unmap(u64 address, u64 size) {
  sys::call(SYS_munmap, static_cast<long>(address), static_cast<long>(size));
}

// A second mapping of pages that are not mapped yet, where `start` is a mapping of the page before
// the first: a duplicate may be longer than what it is a duplicate of. So the way goes by hops,
// each of which leaves a mapping of the one page that it was for.
long duplicate_far(u64 start, PageRange pages) {
  u64 here = start;
  u64 hop = 1ull << 16;  // pages: 256 MiB of addresses, for the time of a system call
  long error = 0;
  for (u64 left = pages.first + 1; left != 0 && error == 0;) {
    const u64 step = hop < left ? hop : left;
    const long mapped = duplicate(here, (step + 1) * kPage, 0, false);
    if (is_error(mapped)) {
      hop /= 2;
      if (hop == 0) error = mapped;
      continue;
    }
    unmap(sys::address_of(mapped), step * kPage);
    if (here != start) unmap(here, kPage);
    here = sys::address_of(mapped) + step * kPage;
    left -= step;
  }
  if (error == 0) error = duplicate(here, pages.bytes(), 0, false);
  if (here != start) unmap(here, kPage);
  return error;
}

// A second mapping of the pages, wherever there is room.
long duplicate_any(u64 window, PageRange pages) {
  if (!kMapsAll) return duplicate_far(window + kShortWindow - kPage, pages);
  return duplicate(window + pages.first * kPage, pages.bytes(), 0, false);
}

// The same, but not where [address, address + size) has a part of it: mremap(2) moves nothing to
// where it stands. Two mappings at most can be in the way, each at one end.
long duplicate_aside(u64 window, PageRange pages, u64 address) {
  const u64 size = pages.bytes();
  u64 in_the_way[2];
  u32 count = 0;
  long mapped = duplicate_any(window, pages);
  while (!is_error(mapped) && count < 2) {
    const u64 start = sys::address_of(mapped);
    if (start >= address + size || address >= start + size) break;
    in_the_way[count++] = start;
    mapped = duplicate_any(window, pages);
  }
  while (count > 0) unmap(in_the_way[--count], size);
  return mapped;
}

long advise(u64 address, u64 size, int advice) {
  return sys::call(SYS_madvise, static_cast<long>(address), static_cast<long>(size), advice);
}

long call_fallocate(long fd, int mode, PageRange pages) {
  const u64 offset = offset_of_page(pages.first), size = pages.bytes();
  long error;
  do {
#if defined(__i386__)
    error = sys::call(SYS_fallocate, fd, mode, static_cast<long>(offset),
                      static_cast<long>(offset >> 32), static_cast<long>(size),
                      static_cast<long>(size >> 32));
#else
    error = sys::call(SYS_fallocate, fd, mode, static_cast<long>(offset), static_cast<long>(size));
#endif
  } while (error == -EINTR);
  return error;
}

// How long a thread sleeps that waits for another one to be done.
constexpr i64 kTurnNs = 100'000;

// What an attachment is mapped as: two seeds of a kind are the same.
u32 kind_of(int protection, bool read_only) {
  return 8u | (read_only ? 16u : 0u) | static_cast<u32>(protection & 7);
}

}  // namespace

// --------------------------------------------------------------------------- the windows

SegmentFile::Turn::Turn(SegmentFile& file) : file_(file) {
  u32 expected = 0;
  while (!compare_exchange(file_.lock_, expected, 1u)) {
    futex_wait(file_.lock_, 1, kTurnNs);
    expected = 0;
  }
}

SegmentFile::Turn::~Turn() { store_release(file_.lock_, 0u); }

void SegmentFile::open_windows() {
  const Turn turn(*this);
  map_windows();
}

void SegmentFile::close_windows() {
  const Turn turn(*this);
  unmap_windows();
}

// -errno, also if the file at the path is no longer the cell's.
long SegmentFile::open_file(int flags) const {
  if (path_ == nullptr) return -ENOENT;
  const long fd = open_at(AT_FDCWD, path_, flags | O_NONBLOCK);
  if (fd < 0) return fd;
  struct statx info;
  const long error =
      sys::call(SYS_statx, fd, sys::arg(""), AT_EMPTY_PATH, STATX_INO, sys::arg(&info));
  if (error == 0 && info.stx_ino == cell_->inode() &&
      makedev(info.stx_dev_major, info.stx_dev_minor) == cell_->device()) {
    return fd;
  }
  sys::call(SYS_close, fd);
  return error != 0 ? error : -ESTALE;
}

long SegmentFile::map_window(long fd) const {
  const u64 size = window_size(cell_->header().segment_pages * kPage);
  const long address = sys::map(0, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd,
                                kMapsAll ? kCellSize : kCellSize - kShortWindow);
  if (is_error(address)) return address;
  // After mlockall(MCL_FUTURE) it is locked, and so would be all attachments.
  sys::call(SYS_munlock, address, static_cast<long>(size));
  advise(sys::address_of(address), size, MADV_DONTDUMP);
  return address;
}

void SegmentFile::map_windows() {
  make_seed_area();
  if (writable_ != 0 || cell_ == nullptr || cell_->header().segment_pages == 0) return;
  const Descriptor file(open_file(O_RDWR));
  if (file.fd() < 0) return;
  const Descriptor read_only(open_file(O_RDONLY));
  if (read_only.fd() < 0) return;
  const long first = map_window(file.fd());
  if (is_error(first)) return;
  const long second = map_window(read_only.fd());
  size_ = cell_->header().segment_pages * kPage;
  if (is_error(second)) {
    unmap(sys::address_of(first), window_size(size_));
    return;
  }
  store_release(read_only_, sys::address_of(second));
  store_release(writable_, sys::address_of(first));
}

// Forgotten first: a child that is forked just then must not take what is no more for a mapping.
void SegmentFile::unmap_windows() {
  forget_seeds();
  if (writable_ == 0) return;
  const u64 writable = writable_, read_only = read_only_;
  store_release(writable_, 0);
  store_release(read_only_, 0);
  kill_barrier();
  unmap(writable, window_size(size_));
  unmap(read_only, window_size(size_));
}

// --------------------------------------------------------------------------- mapping

void SegmentFile::forget_seeds() {
  const u64 area = seed_area_;
  for (Seed& seed : seeds_) seed = {};
  store_release(seed_area_, 0);
  kill_barrier();
  if (area != 0) unmap(area, kSeeds * kPage);
}

// Made early: the program may look for a free address, and then attach there.
bool SegmentFile::make_seed_area() {
  if (seed_area_ != 0) return true;
  const long address =
      sys::map(0, kSeeds * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (is_error(address)) return false;
  seed_area_ = sys::address_of(address);
  return true;
}

// Whoever attaches the same segment twice will do so again.
void SegmentFile::remember(u64 page, u64 address, u32 kind) {
  Seed& seed = seeds_[page % kSeeds];
  const bool is_again = seed.page == page && seed.kind == kind;
  seed = {page, kind, 0};
  if (!is_again || !make_seed_area()) return;
  if (!is_error(duplicate(address, kPage, address_of_seed(page), true))) seed.is_there = 1;
}

long SegmentFile::map_by_window(PageRange pages, u64 address, bool is_fixed, int protection,
                                bool read_only) {
  const u64 window = read_only ? read_only_ : writable_;
  const u64 size = pages.bytes();
  // What stands at a given address is not to be lost before all that may fail is done.
  long mapped = is_fixed ? duplicate_aside(window, pages, address) : duplicate_any(window, pages);
  if (is_error(mapped)) return mapped;
  long error = 0;
  if (protection != PROT_NONE)
    error = sys::call(SYS_mprotect, mapped, static_cast<long>(size), protection);
  if (error == 0 && is_fixed) {
    const u64 from = sys::address_of(mapped);
    mapped = sys::call(SYS_mremap, mapped, static_cast<long>(size), static_cast<long>(size),
                       MREMAP_MAYMOVE | MREMAP_FIXED, static_cast<long>(address));
    if (is_error(mapped)) unmap(from, size);
    return mapped;
  }
  if (error == 0) return mapped;
  unmap(sys::address_of(mapped), size);
  return error;
}

long SegmentFile::map_by_file(PageRange pages, u64 address, bool is_fixed, int protection,
                              bool read_only) {
  const Descriptor file(open_file(read_only ? O_RDONLY : O_RDWR));
  if (file.fd() < 0) return -ENOMEM;
  const long mapped = sys::map(address, pages.bytes(), protection,
                               MAP_SHARED | MAP_NORESERVE | (is_fixed ? MAP_FIXED : 0), file.fd(),
                               offset_of_page(pages.first));
  if (!is_error(mapped)) advise(sys::address_of(mapped), pages.bytes(), MADV_DONTDUMP);
  return mapped;
}

// A spoiled record may say anything: no memory but that of segments is to be touched.
bool SegmentFile::has(PageRange pages) const {
  const u64 limit = writable_ != 0 ? size_ / kPage : kSegmentPages;
  return pages.first <= limit && pages.count <= limit - pages.first;
}

long SegmentFile::map(PageRange pages, u64 address, bool is_fixed, int protection, bool read_only) {
  const Turn turn(*this);
  // Linux: mm/mmap.c:get_unmapped_area()
  constexpr u64 kMost = sizeof(long) < sizeof(u64) ? 0xffffffffull : 0x7fffffffffffffffull;
  if (pages.bytes() > kMost || pages.bytes() / kPage != pages.count) return -ENOMEM;
  map_windows();
  if (!has(pages)) return -ENOMEM;
  const u32 kind = kind_of(protection, read_only);
  const Seed& seed = seeds_[pages.first % kSeeds];
  if (seed.is_there != 0 && seed.kind == kind && seed.page == pages.first) [[likely]]
    return duplicate(address_of_seed(pages.first), pages.bytes(), address, is_fixed);
  const long mapped = writable_ != 0
                          ? map_by_window(pages, address, is_fixed, protection, read_only)
                          : map_by_file(pages, address, is_fixed, protection, read_only);
  if (!is_error(mapped)) remember(pages.first, sys::address_of(mapped), kind);
  return mapped;
}

long SegmentFile::map_nothing(u64 address, u64 size, int protection, bool read_only) {
  const Turn turn(*this);
  map_windows();
  const PageRange behind = {cell_->header().segment_pages, size / kPage};
  const long mapped = writable_ != 0 ? map_by_window(behind, address, true, protection, read_only)
                                     : map_by_file(behind, address, true, protection, read_only);
  return is_error(mapped) ? mapped : 0;
}

// --------------------------------------------------------------------------- memory

// Maps the pages part by part, and calls `visit(address, size)` until it fails.
template <class Visit>
int SegmentFile::for_each_part(PageRange pages, Visit visit) {
  constexpr u64 kPart = sizeof(long) < sizeof(u64) ? 1ull << 14 : 1ull << 18;  // 64 MiB, 1 GiB
  for (u64 done = 0; done < pages.count; done += kPart) {
    const u64 left = pages.count - done;
    const PageRange part = {pages.first + done, left < kPart ? left : kPart};
    const int protection = PROT_READ | PROT_WRITE;
    const long address = writable_ != 0 ? map_by_window(part, 0, false, protection, false)
                                        : map_by_file(part, 0, false, protection, false);
    if (is_error(address)) return static_cast<int>(address);
    const long error = visit(sys::address_of(address), part.bytes());
    unmap(sys::address_of(address), part.bytes());
    if (error != 0) return static_cast<int>(error);
  }
  return 0;
}

// fallocate(2), where the file can be opened.
int SegmentFile::allocate(PageRange pages, int mode) const {
  const Descriptor file(open_file(O_RDWR));
  if (file.fd() < 0) return -EOPNOTSUPP;
  return static_cast<int>(call_fallocate(file.fd(), mode, pages));
}

// For filesystems that can't make holes. 0 or -errno.
int SegmentFile::write_zeros(PageRange pages) const {
  static constexpr u8 kZeros[kPage] = {};
  const Descriptor file(open_file(O_RDWR));
  if (file.fd() < 0) return static_cast<int>(file.fd());
  for (u64 n = 0; n < pages.count;) {
    const u64 at = offset_of_page(pages.first + n);
#if defined(__i386__)
    const long size = sys::call(SYS_pwrite64, file.fd(), sys::arg(kZeros), sizeof kZeros,
                                static_cast<long>(at), static_cast<long>(at >> 32));
#else
    const long size =
        sys::call(SYS_pwrite64, file.fd(), sys::arg(kZeros), sizeof kZeros, static_cast<long>(at));
#endif
    if (size == -EINTR) continue;
    if (size != static_cast<long>(sizeof kZeros)) return size < 0 ? static_cast<int>(size) : -EIO;
    ++n;
  }
  return 0;
}

int SegmentFile::reserve(PageRange pages) {
  if (!has(pages)) return -ENOMEM;
  int error = allocate(pages, 0);
  if (error == -EOPNOTSUPP || error == -ENOSYS) {
    const Turn turn(*this);
    map_windows();
    error = for_each_part(pages, [&](u64 address, u64 size) {
      long result;
      do result = advise(address, size, MADV_POPULATE_WRITE);
      while (result == -EINTR);
      return result;
    });
  }
  return error == 0 ? 0 : -ENOMEM;
}

int SegmentFile::release(PageRange pages) {
  const Turn turn(*this);
  map_windows();
  if (!has(pages)) return -EINVAL;
  if (kMapsAll && writable_ != 0 &&
      advise(writable_ + pages.first * kPage, pages.bytes(), MADV_REMOVE) == 0) {
    return 0;
  }
  // Older kernels want a writable mapping for it; some filesystems can't do it at all.
  const int error = for_each_part(
      pages, [](u64 address, u64 size) { return advise(address, size, MADV_REMOVE); });
  if (error == 0 || allocate(pages, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) == 0) return 0;
  return write_zeros(pages);
}

// Linux: mm/filemap.c:cachestat(2), since 6.5. False if it can't be asked.
bool SegmentFile::ask_for_cached(PageRange pages, u64* count) const {
#ifdef SYS_cachestat
  constexpr long kCachestat = SYS_cachestat;
#else
  constexpr long kCachestat = 451;
#endif
  const Descriptor file(open_file(O_RDONLY));
  if (file.fd() < 0) return false;
  const u64 range[2] = {offset_of_page(pages.first), pages.bytes()};
  u64 counts[5] = {};
  if (sys::call(kCachestat, file.fd(), sys::arg(range), sys::arg(counts), 0) != 0) return false;
  *count = counts[0];
  return true;
}

u64 SegmentFile::count_resident(PageRange pages) {
  constexpr u64 kAtOnce = 4096;
  u8 resident[kAtOnce];
  u64 count = 0;
  if (!has(pages)) return 0;
  if (pages.count == 0 || ask_for_cached(pages, &count)) return count;
  const auto add_up = [&](u64 address, u64 size) {
    for (u64 at = 0; at < size; at += kAtOnce * kPage) {
      const u64 left = size - at < kAtOnce * kPage ? size - at : kAtOnce * kPage;
      const long error = sys::call(SYS_mincore, static_cast<long>(address + at),
                                   static_cast<long>(left), sys::arg(resident));
      if (error != 0) return error;
      for (u64 n = 0; n < left / kPage; ++n) count += resident[n] & 1;
    }
    return 0l;
  };
  const Turn turn(*this);
  map_windows();
  if (kMapsAll && writable_ != 0) {
    add_up(writable_ + pages.first * kPage, pages.bytes());
  } else {
    for_each_part(pages, add_up);
  }
  return count;
}

bool SegmentFile::pays_when_touched(u64* free) const {
#if defined(__i386__)
  struct statfs64 info;
  const long error = path_ == nullptr
                         ? -ENOENT
                         : sys::call(SYS_statfs64, sys::arg(path_), sizeof info, sys::arg(&info));
#else
  struct statfs info;
  const long error =
      path_ == nullptr ? -ENOENT : sys::call(SYS_statfs, sys::arg(path_), sys::arg(&info));
#endif
  if (error != 0 || info.f_type != TMPFS_MAGIC) return false;
  *free = static_cast<u64>(info.f_bavail) * static_cast<u64>(info.f_bsize) / kPage;
  // A tmpfs without a limit says that it has 0 of 0.
  if (info.f_blocks == 0) *free = ~0ull / kPage;
  return true;
}

}  // namespace ipcell
