// check(): is a cell what it should be? It walks every invariant and gives the first broken one as
// a text, for tests, the command line and debug builds. This part knows what the cell layer keeps:
// header, tasks, locks, heap; ipc/check.h knows the objects, and is what callers want.
//
// It takes no lock and changes nothing: whoever calls it sees to it that nobody changes the cell
// meanwhile. A scribbled cell gives a text, never a crash, and every walk is bounded.
#pragma once

#include "core/cell/array.h"
#include "core/cell/liveness.h"

namespace ipcell {

enum class CheckMode {
  // Each live task is between two operations or asleep in one, and the dead are reaped: all locks
  // are
  // free, all journals empty, every block is owned by exactly one place.
  Quiescent,
  // Live tasks may have been stopped at any instruction. What a held lock guards is passed over,
  // and
  // while anybody is in a transaction so is the balance of the blocks.
  AfterReap,
};

// The first violation, as text in the caller's memory.
class CheckReport {
 public:
  CheckReport(char* text, std::size_t size) : text_(text), size_(size) {
    if (size_ != 0) text_[0] = '\0';
  }

  bool has_failed() const { return has_failed_; }
  // Takes strings and numbers alike. Only the first call counts. Returns false.
  template <class... Parts>
  bool fail(Parts... parts) {
    if (has_failed_) return false;
    has_failed_ = true;
    (put(parts), ...);
    if (size_ != 0) text_[used_] = '\0';
    return false;
  }

 private:
  void put(const char* text);
  void put(u64 value);
  void put(i64 value);
  void put(u32 value) { put(static_cast<u64>(value)); }
  void put(i32 value) { put(static_cast<i64>(value)); }
  void put_char(char c);

  char* text_;
  std::size_t size_;
  std::size_t used_ = 0;
  bool has_failed_ = false;
};

// Who names a block. The words stand in the reports.
enum class BlockOwner : u8 {
  Nobody,
  FreeList,
  Cache,
  Registry,
  Queue,
  Waiter,
  InFlight,
  Garbage,
  Destroying,
  Set,
  Array,
  Loose,
  Journal,
  Process,
  Undo,
  Attach,
  Abandoned,
  Mqueues,
  Runs,
  Name
};

// One check's knowledge of a cell: the report, and for each block who owns it.
class CellCheck {
 public:
  CellCheck(const Cell& cell, CheckMode mode, char* text, std::size_t size);
  ~CellCheck();
  CellCheck(const CellCheck&) = delete;
  CellCheck& operator=(const CellCheck&) = delete;

  const Cell& cell() const { return cell_; }
  CheckReport& report() { return report_; }
  bool is_quiescent() const { return mode_ == CheckMode::Quiescent; }
  // True if a live task is in a transaction or holds a lock: blocks may have two owners or none.
  bool is_busy() const { return is_busy_; }

  // True if the slot has been given to a task and not yet been reaped.
  bool is_live(u32 slot) const {
    return load_acquire(cell_.layout().task_states[slot - 1]) == kTaskLive;
  }

  // Header, tasks, the heap's own lists. False if a violation was found.
  bool check_tables();
  // After all owners have claimed theirs: no block is lost.
  bool check_none_lost();

  // The lock is free, or held by a live task that says so where the mode admits it. `*held` tells.
  bool check_lock(const LockWord& word, const char* name, u64 where, bool* held);

  // `owner` names the block at `offset`, which must be one of the class (BlockClass::Count: any
  // class of plain memory), handed out by the heap, and named by nobody else.
  bool claim(u64 offset, BlockClass block_class, BlockOwner owner, u64 where);
  // The same for an array and its leaves; of nothing if `root` is 0. `bytes`: of its elements, or 0
  // while it is built or freed.
  bool claim_array(u64 root, u64 bytes, BlockOwner owner, u64 where);
  // Who has claimed it; Nobody if there can be no block.
  BlockOwner owner_of(u64 offset) const;

  // Offset of the n-th block that the heap has handed out of a chunk; 0 past the last.
  u64 block_in_chunk(u32 chunk, u32 n) const;
  u32 chunks_used() const { return chunks_used_; }
  BlockClass class_of_chunk(u32 chunk) const;

 private:
  bool check_header();
  bool check_task(u32 slot);
  bool check_idle_record(const TaskRec& rec, u32 slot);
  bool check_live_record(const TaskRec& rec, u32 slot);
  bool check_heap();
  bool check_class(u32 class_index);
  bool check_caches(const TaskRec& rec, u32 slot);
  bool check_free_list(const FreeList& list, u32 class_index, BlockOwner owner, u64 where);
  bool is_in_transaction(const TaskRec& rec) const;
  bool names_lock(const TaskRec& rec, const LockWord& word) const;
  u8* mark_of(u64 offset) const;

  const Cell& cell_;
  CheckMode mode_;
  CheckReport report_;
  bool is_busy_ = false;
  u32 chunks_used_ = 0;
  u8* marks_ = nullptr;  // a BlockOwner for each 64 bytes of the chunks used
};

const char* name_of(BlockOwner owner);

}  // namespace ipcell
