// AddressMap: what a process has attached, piece by piece, as the kernel's VMAs would be.
//
// The kernel counts mappings: whatever cuts one in two adds an attachment, and the pieces never
// become one again. So the calls that cut or move memory are replayed here. It stands in the
// process's own memory: a fork copies it, and whoever dies takes it along.
#pragma once

#include "core/cell/segment_file.h"
#include "core/cell/task.h"

namespace ipcell {

// A part of an attachment. Addresses are bytes.
struct Piece {
  u64 start, end;
  u64 segment;     // offset of the SegmentRec
  u64 page;        // of the segment, at `start`
  u32 attachment;  // which shmat(2) it comes from
  u32 flags;       // kPiece...

  u64 size() const { return end - start; }
};

// Protection bits stand as they are: PROT_READ, PROT_WRITE, PROT_EXEC.
constexpr u32 kPieceProtection = 7;
// What cuts a mapping in two when it is given to a part of it.
constexpr u32 kPieceLocked = 1u << 3;
constexpr u32 kPieceDontFork = 1u << 4;
constexpr u32 kPieceSequential = 1u << 5;
constexpr u32 kPieceRandom = 1u << 6;
constexpr u32 kPieceDontDump = 1u << 7;
constexpr u32 kPieceHugePage = 1u << 8;
constexpr u32 kPieceNoHugePage = 1u << 9;
constexpr u32 kPieceLockedOnFault = 1u << 10;
// Attached with SHM_RDONLY: it can't be made writable.
constexpr u32 kPieceReadOnly = 1u << 11;

class AddressMap {
 public:
  // As many mappings as a process may have: vm.max_map_count.
  static constexpr u32 kPieces = 65536;

  AddressMap() = default;
  AddressMap(const AddressMap&) = delete;
  AddressMap& operator=(const AddressMap&) = delete;

  SegmentFile file;

  // May be asked without the lock: most processes never attach anything.
  bool is_empty() const { return load_relaxed(count_) == 0; }

  // True if a piece may have an address in [start, end); asked without the lock.
  bool may_meet(u64 start, u64 end) const;

  // By the thread `tid`, again and again if it likes.
  void lock(u32 tid);
  void unlock();
  // True if that thread has it.
  bool is_locked_by(u32 tid) const;
  // In a forked child, whose other threads are not there.
  void reset_lock();

  // --- with the lock held

  u32 count() const { return count_; }
  // In the order of their addresses, the highest first.
  Piece& at(u32 index) { return pieces_[index]; }
  const Piece& at(u32 index) const { return pieces_[index]; }
  // Makes room for `more` pieces. False if there is none.
  bool make_room(u32 more);
  void add(const Piece& piece);
  // Takes a piece away.
  void erase(u32 index);
  // Cuts the piece that has `address` inside of it in two. True if there was one: `*index` is the
  // upper part's, and the lower one's is the next.
  bool split(u64 address, u32* index);
  // Gives the piece other ends, of the same mapping: nothing else is there.
  void resize(u32 index, u64 start, u64 end);
  // Moves the border between a piece and the one below it.
  void set_border(u32 upper, u64 address);
  // Index of the piece with `address`, or -1.
  i32 find(u64 address) const;
  // Index of the lowest piece that ends above `address`, or -1.
  i32 find_from(u64 address) const;

  // Changes with the pieces.
  u32 version() const { return load_relaxed(version_); }
  u32 next_attachment() { return ++attachments_; }

  // 1: other processes run in the same memory (vfork(2), clone(2) with CLONE_VM).
  u32 is_shared = 0;
  // 1: those may live longer than this one.
  u32 is_lent = 0;
  // fork(2): the ProcessRec that was made for the child, and its serial; see shm_fork.cc.
  u64 heir = 0;
  u64 heir_serial = 0;
  u32 heir_version = 0;  // of the pieces that it was made for
  // The pid of the process that the pieces are counted for; 0 at first.
  i32 owner_pid = 0;

 private:
  // Index of the first piece that starts below `address`.
  u32 lower_bound(u64 address) const;

  u32 lock_ = 0;     // 0: free; else who has it, and kAwaited
  u32 depth_ = 0;    // how often that thread has it
  u32 version_ = 0;  // odd while the pieces change
  u32 count_ = 0;
  u32 attachments_ = 0;
  Piece* pieces_ = nullptr;
};

class LockedMap {
 public:
  explicit LockedMap(Task& task) : map_(*task.addresses) {
    map_.lock(static_cast<u32>(task.identity.tid));
  }
  ~LockedMap() { map_.unlock(); }
  LockedMap(const LockedMap&) = delete;
  LockedMap& operator=(const LockedMap&) = delete;

 private:
  AddressMap& map_;
};

}  // namespace ipcell
