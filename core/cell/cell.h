// A cell as one process sees it: the mapping, and the way from offsets to pointers.
//
// No descriptor stays open after open(): programs close all of theirs, change root and drop
// privileges, and go on.
#pragma once

#include "core/base/atomic.h"
#include "core/base/result.h"
#include "core/cell/cell_parts.h"
#include "core/cell/layout.h"

namespace ipcell {

// Why a cell could not be opened; `describe()` gives the sentence for the user.
enum class CellFault {
  None,
  NotFound,
  NotRegular,
  ForeignOwner,
  UnsafeMode,
  WrongSize,
  NotACell,
  OtherVersion,
  OtherBoot,
  NoRoom,
  FileSizeLimit,
  AddressSpace,
  System
};

struct CellStatus {
  CellFault fault = CellFault::None;
  int error = 0;  // -errno of the system call that failed, else 0

  bool ok() const { return fault == CellFault::None; }
  // What is wrong and what to do about it; a static string without the path.
  const char* describe() const;
};

class Cell {
 public:
  struct Options {
    u64 signature;           // of the records in the heap: ipc/signature.h
    u32 mode = 0600;         // of a new file; others than 0600 let other users in
    bool transient = false;  // made for one run
    // Accept a file of another owner: only when its users asked for a shared cell (`--mode`).
    bool shared = false;
  };

  // Maps the cell file at `path`. The file must be a regular file of this user, in mode, size,
  // version and boot what this build would have made.
  static CellStatus open(const char* path, const Options& options, Cell* cell);
  // Makes the file, whole or not at all, and maps it; opens the existing one if there is one.
  // A file of an earlier boot is replaced.
  static CellStatus open_or_create(const char* path, const Options& options, Cell* cell);

  Cell() = default;
  // Unmaps; for tools and tests. A program's cell stays mapped for life.
  void close();

  // Takes over a mapping of kMappedSize bytes.
  void adopt_mapping(u8* base) { base_ = base; }

  bool is_open() const { return base_ != nullptr; }
  u8* base() const { return base_; }
  bool contains(const void* address) const {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    if (place - reinterpret_cast<std::uintptr_t>(base_) < kMappedSize) return true;
    return !kMapsWholeCell && parts_.offset_of(address) != ~0ull;
  }
  // Device and inode of the file: the cell's identity.
  u64 device() const { return device_; }
  // Who owns its file.
  u32 owner() const { return owner_; }
  u64 inode() const { return inode_; }

  CellLayout& layout() const { return *reinterpret_cast<CellLayout*>(base_); }
  Header& header() const { return layout().header; }

  // The record at `rel`, or nullptr if the offset cannot be one: out of the heap or misaligned.
  template <class T>
  T* at(Rel<T> rel) const {
    return at<T>(rel.offset);
  }
  template <class T>
  T* at(u64 offset) const {
    static_assert(sizeof(T) <= kLargestBlock);
    if (offset - kHeapOffset > kHeapSize - kLargestBlock || offset % alignof(u64) != 0)
        [[unlikely]] {
      return nullptr;
    }
    return reinterpret_cast<T*>(address_of(offset));
  }
  u64 offset_of(const void* address) const {
    const u64 offset =
        reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_);
    if (kMapsWholeCell || offset < kMappedSize) return offset;
    return parts_.offset_of(address);
  }
  // Where byte `offset` of the cell stands, which is below kCellSize. nullptr in a 32-bit process
  // that has no address space for it: the cell counts as damaged there from then on, and only
  // there.
  u8* address_of(u64 offset) const {
    if (kMapsWholeCell || offset < kMappedSize) return base_ + offset;
    return parts_.address_of(base_, offset);
  }
  const CellParts& parts() const { return parts_; }
  // Slots come from lock words and lists, that is from the cell; nullptr if out of range.
  TaskRec* task(u32 slot_plus_one) const {
    if (slot_plus_one - 1 >= kTaskSlots) [[unlikely]]
      return nullptr;
    return &layout().tasks[slot_plus_one - 1].rec;
  }

  // Puts memory behind [address, address + size) of the tables. 0, or -ENOMEM when the filesystem
  // is full. A system call only for pages that nobody ensured before.
  int ensure(const void* address, u64 size) const;
  // The same for a part of the heap, without memory of what was done.
  int populate(u64 offset, u64 size) const;

  bool is_poisoned() const {
    return load_relaxed(header().poisoned) != 0 || (!kMapsWholeCell && parts_.is_cut_off());
  }
  // Marks the cell broken: every later call of every process fails with EIO. One line on stderr.
  // Returns -EIO.
  int poison(const char* reason) const;

 private:
  u8* base_ = nullptr;
  CellParts parts_;
  u64 device_ = 0;
  u32 owner_ = 0;
  u64 inode_ = 0;
};

// The header of the file at `path`, read, not mapped; all zeros if it can't be.
Header read_header(const char* path);

}  // namespace ipcell
