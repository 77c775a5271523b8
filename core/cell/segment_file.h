// SegmentFile: a process's way to the pages of shared memory segments, which stand in the cell's
// file behind kCellSize.
//
// It maps all of them twice, unreadable (a writable and a read-only mapping of the file), and makes
// an attachment by mremap(2) of a part with the old size 0: a second mapping of the same pages,
// without a descriptor. So it works when the program has closed its descriptors, changed its root
// folder or its user. A 32-bit process maps the page before them only, and has the others by
// duplicates of that which are longer. A program without the address space (RLIMIT_AS) gets each
// attachment by opening the file.
#pragma once

#include "core/cell/cell.h"

namespace ipcell {

// A range of pages of the segments.
struct PageRange {
  u64 first, count;

  u64 bytes() const { return count * kPage; }
};

class SegmentFile {
 public:
  SegmentFile() = default;
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  // The cell, and where its file is; `path` stays the caller's.
  void set_file(const Cell& cell, const char* path) {
    cell_ = &cell;
    path_ = path;
  }
  const char* path() const { return path_; }
  // Makes the mappings, if there is address space for them; else each map() opens the file.
  void open_windows();
  // Gives the mappings up: the program lowers RLIMIT_AS, or locks all of its memory.
  void close_windows();
  bool has_windows() const { return load_acquire(writable_) != 0; }
  // In a forked child, whose other threads are not there.
  void reset_lock() { store_release(lock_, 0u); }

  // Maps the pages with `protection`, of a read-only file if `read_only`; at `address` over what is
  // there if `is_fixed`. The address, or -errno.
  long map(PageRange pages, u64 address, bool is_fixed, int protection, bool read_only);
  // Maps what has no page, over what is there: an access that `protection` allows is a SIGBUS. 0 or
  // -errno.
  long map_nothing(u64 address, u64 size, int protection, bool read_only);

  // Puts memory behind the pages. 0 or -ENOMEM.
  int reserve(PageRange pages);
  // Gives the memory back: the pages are zero again. 0, or -errno if they may not be.
  int release(PageRange pages);
  // How many of the pages have memory.
  u64 count_resident(PageRange pages);
  // True if the filesystem can have memory for pages only when they are touched without losing by
  // it: `*free` of its pages are not used. A tmpfs.
  bool pays_when_touched(u64* free) const;

 private:
  // A page of a segment that was attached before, mapped as it was then: the next attachment is one
  // system call.
  struct Seed {
    u64 page;
    u32 kind;      // 0: none was attached
    u32 is_there;  // 1: it is mapped; else it was attached once
  };
  static constexpr u32 kSeeds = 64;

  // Threads come one by one.
  class Turn {
   public:
    explicit Turn(SegmentFile& file);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    SegmentFile& file_;
  };

  bool has(PageRange pages) const;
  void map_windows();
  void unmap_windows();
  long open_file(int flags) const;
  long map_window(long fd) const;
  long map_by_file(PageRange pages, u64 address, bool is_fixed, int protection, bool read_only);
  long map_by_window(PageRange pages, u64 address, bool is_fixed, int protection, bool read_only);
  u64 address_of_seed(u64 page) const { return seed_area_ + page % kSeeds * kPage; }
  void remember(u64 page, u64 address, u32 kind);
  bool make_seed_area();
  void forget_seeds();
  int allocate(PageRange pages, int mode) const;
  int write_zeros(PageRange pages) const;
  bool ask_for_cached(PageRange pages, u64* count) const;
  template <class Visit>
  int for_each_part(PageRange pages, Visit visit);

  u32 lock_ = 0;  // 1: taken
  const Cell* cell_ = nullptr;
  const char* path_ = nullptr;
  u64 writable_ = 0, read_only_ = 0;  // the mappings; 0: none
  u64 size_ = 0;                      // bytes of all segments
  u64 seed_area_ = 0;                 // where seeds stand, out of the program's way
  Seed seeds_[kSeeds] = {};
};

}  // namespace ipcell
