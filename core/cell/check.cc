#include "core/cell/check.h"

#include <sys/mman.h>

#include "core/base/sys.h"

namespace ipcell {

namespace {

// Every block size is a multiple of this, so a mark for each is enough.
constexpr u64 kMarkUnit = 64;
constexpr u64 kMarksPerChunk = kChunkSize / kMarkUnit;

// Each used chunk's marks; 0 is BlockOwner::Nobody. The core has no malloc.
u8* map_marks(u64 size) {
  const long address =
      sys::map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  return sys::is_error(address) ? nullptr : reinterpret_cast<u8*>(address);
}

u64 marks_size(u32 chunks) { return align_up(chunks * kMarksPerChunk, kPage); }

u64 chunk_offset(u32 chunk) { return kHeapOffset + chunk * kChunkSize; }

// Above the owner's slot a recovery lock may count its turns.
constexpr u32 kSlotBits = 0x7fff;

bool is_plain_class(BlockClass block_class) { return block_class <= BlockClass::Bytes8256; }

}  // namespace

const char* name_of(BlockOwner owner) {
  switch (owner) {
    case BlockOwner::Nobody: return "nobody";
    case BlockOwner::FreeList: return "a free list of the heap";
    case BlockOwner::Cache: return "a task's free list";
    case BlockOwner::Registry: return "the registry";
    case BlockOwner::Queue: return "a queue's messages";
    case BlockOwner::Waiter: return "a wait node";
    case BlockOwner::InFlight: return "an in_flight";
    case BlockOwner::Garbage: return "a garbage list";
    case BlockOwner::Destroying: return "a destroying";
    case BlockOwner::Set: return "a semaphore set";
    case BlockOwner::Array: return "a task's array";
    case BlockOwner::Loose: return "a loose";
    case BlockOwner::Journal: return "a long journal";
    case BlockOwner::Process: return "the table of processes";
    case BlockOwner::Undo: return "a set's list of adjustments";
    case BlockOwner::Attach: return "a segment's list of attachments";
    case BlockOwner::Abandoned: return "nobody any more";
    case BlockOwner::Mqueues: return "the list of message queues";
    case BlockOwner::Runs: return "a message queue's priorities";
    case BlockOwner::Name: return "a message queue's name";
  }
  return "?";
}

// ---------------------------------------------------------------- the report

void CheckReport::put_char(char c) {
  if (used_ + 1 < size_) text_[used_++] = c;
}

void CheckReport::put(const char* text) {
  for (; *text != '\0'; ++text) put_char(*text);
}

void CheckReport::put(u64 value) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) put_char(digits[--count]);
}

void CheckReport::put(i64 value) {
  if (value < 0) put_char('-');
  put(value < 0 ? u64{0} - static_cast<u64>(value) : static_cast<u64>(value));
}

// ---------------------------------------------------------------- blocks and their owners

CellCheck::CellCheck(const Cell& cell, CheckMode mode, char* text, std::size_t size)
    : cell_(cell), mode_(mode), report_(text, size) {
  chunks_used_ = cell.layout().heap.chunks_used;
  if (chunks_used_ > kChunks) {
    report_.fail("the heap says that ", chunks_used_, " chunks are used");
    chunks_used_ = 0;
  }
  if (chunks_used_ == 0) return;
  marks_ = map_marks(marks_size(chunks_used_));
  if (marks_ == nullptr) report_.fail("there is no memory for the check");
}

CellCheck::~CellCheck() {
  if (marks_ != nullptr) {
    sys::call(SYS_munmap, sys::arg(marks_), static_cast<long>(marks_size(chunks_used_)));
  }
}

BlockClass CellCheck::class_of_chunk(u32 chunk) const {
  return chunk < chunks_used_ ? class_of_block(cell_, chunk_offset(chunk)) : BlockClass::Count;
}

u64 CellCheck::block_in_chunk(u32 chunk, u32 n) const {
  const u32 class_index = static_cast<u32>(class_of_chunk(chunk));
  if (class_index >= kBlockClasses) return 0;
  const u64 size = kBlockSize[class_index];
  if (n >= kChunkSize / size) return 0;
  const u64 offset = chunk_offset(chunk) + n * size;
  // Of the class's last chunk only the blocks below the watermark have been handed out.
  const ClassHeap& heap_class = cell_.layout().heap.classes[class_index];
  const bool is_last = heap_class.bump_end - chunk_offset(chunk) - 1 < kChunkSize;
  return is_last && offset >= heap_class.bump ? 0 : offset;
}

u8* CellCheck::mark_of(u64 offset) const {
  const u64 in_heap = offset - kHeapOffset;
  if (marks_ == nullptr || in_heap >= chunks_used_ * kChunkSize) return nullptr;
  const u32 chunk = static_cast<u32>(in_heap / kChunkSize);
  const u32 class_index = static_cast<u32>(class_of_chunk(chunk));
  if (class_index >= kBlockClasses) return nullptr;
  const u64 in_chunk = in_heap % kChunkSize;
  if (in_chunk % kBlockSize[class_index] != 0) return nullptr;
  if (block_in_chunk(chunk, static_cast<u32>(in_chunk / kBlockSize[class_index])) != offset) {
    return nullptr;
  }
  return marks_ + in_heap / kMarkUnit;
}

BlockOwner CellCheck::owner_of(u64 offset) const {
  const u8* mark = mark_of(offset);
  return mark != nullptr ? static_cast<BlockOwner>(*mark) : BlockOwner::Nobody;
}

bool CellCheck::claim(u64 offset, BlockClass block_class, BlockOwner owner, u64 where) {
  u8* mark = mark_of(offset);
  if (mark == nullptr) {
    return report_.fail(name_of(owner), " (", where, ") names ", offset, ", where no block is");
  }
  const BlockClass actual = class_of_block(cell_, offset);
  const bool is_right =
      block_class == BlockClass::Count ? is_plain_class(actual) : actual == block_class;
  if (!is_right) {
    return report_.fail(name_of(owner), " (", where, ") names the block at ", offset,
                        ", which is of class ", static_cast<u32>(actual));
  }
  const auto earlier = static_cast<BlockOwner>(*mark);
  if (earlier != BlockOwner::Nobody && !is_busy_) {
    return report_.fail("the block at ", offset, " has two owners: ", name_of(earlier), ", and ",
                        name_of(owner), " (", where, ")");
  }
  *mark = static_cast<u8>(owner);
  return true;
}

bool CellCheck::claim_array(u64 root, u64 bytes, BlockOwner owner, u64 where) {
  if (root == 0) return true;
  if (!claim(root, BlockClass::Count, owner, where)) return false;
  ArrayBlock& block = *cell_.at<ArrayBlock>(root);
  const u64 leaves = bytes <= kLeafBytes ? 0 : (bytes + kLeafBytes - 1) / kLeafBytes;
  if (block.leaves > kArrayLeavesMax || (bytes != 0 && block.leaves != leaves))
    return report_.fail(name_of(owner), " (", where, ") has an array of ", block.leaves, " leaves");
  for (u64 n = 0; n < block.leaves; ++n) {
    const u64 leaf = block.leaf_offsets()[n];
    if (leaf == 0 && bytes == 0) continue;
    if (!claim(leaf, BlockClass::Count, owner, where)) return false;
  }
  return true;
}

bool CellCheck::check_none_lost() {
  if (is_busy_) return true;
  for (u32 chunk = 0; chunk < chunks_used_; ++chunk) {
    u64 offset;
    for (u32 n = 0; (offset = block_in_chunk(chunk, n)) != 0; ++n) {
      if (owner_of(offset) != BlockOwner::Nobody) continue;
      return report_.fail("the block at ", offset, " (class ",
                          static_cast<u32>(class_of_chunk(chunk)), ") is lost: nobody names it");
    }
  }
  return true;
}

// ---------------------------------------------------------------- header and locks

bool CellCheck::check_header() {
  const Header& header = cell_.header();
  if (header.poisoned != 0) {
    const char* reason = header.poison_reason;
    if (reason[sizeof header.poison_reason - 1] != '\0') reason = "for a broken reason";
    return report_.fail("the cell is poisoned: ", reason);
  }
  if (__builtin_memcmp(header.magic, kMagic, sizeof kMagic) != 0) {
    return report_.fail("the header's magic is wrong");
  }
  if (header.version != kLayoutVersion) {
    return report_.fail("the header's version is ", header.version);
  }
  if (header.segment_pages > kSegmentPages ||
      header.file_size != kCellSize + header.segment_pages * kPage) {
    return report_.fail("the header's file size is ", header.file_size);
  }
  if (header.slots_high > kTaskSlots) {
    return report_.fail("slots_high is ", header.slots_high);
  }
  bool held;
  if (!check_lock(header.reap_lock, "the reap lock", 0, &held)) return false;
  if (is_quiescent() && (header.recovery_lock.word & kSlotBits) != 0) {
    return report_.fail("the recovery lock is held by task ",
                        header.recovery_lock.word & kSlotBits);
  }
  return true;
}

bool CellCheck::names_lock(const TaskRec& rec, const LockWord& word) const {
  for (u64 intent : rec.intents) {
    if (intent == cell_.offset_of(&word)) return true;
  }
  return false;
}

bool CellCheck::check_lock(const LockWord& word, const char* name, u64 where, bool* held) {
  const u32 value = load_acquire(word.word);
  const u32 owner = value & ~kLockWaiters;
  *held = owner != 0;
  if (value == 0) return true;
  if (is_quiescent()) {
    return report_.fail(name, " (", where, ") is held by task ", owner);
  }
  const TaskRec* rec = cell_.task(owner);
  if (rec == nullptr || load_acquire(cell_.layout().task_states[owner - 1]) != kTaskLive ||
      is_dead(cell_, owner)) {
    return report_.fail(name, " (", where, ") is held by task ", owner, ", which does not live");
  }
  if (!names_lock(*rec, word)) {
    return report_.fail(name, " (", where, ") is held by task ", owner, ", which does not say so");
  }
  return true;
}

// ---------------------------------------------------------------- tasks

// A record that is free, or is being claimed: whoever left it left nothing.
bool CellCheck::check_idle_record(const TaskRec& rec, u32 slot) {
  for (u64 head : rec.cache) {
    if (head != 0) return report_.fail("the free slot ", slot, " keeps blocks for itself");
  }
  if (rec.journal_count != 0) {
    return report_.fail("the free slot ", slot, " has a journal of ", rec.journal_count);
  }
  for (u64 intent : rec.intents) {
    if (intent != 0) return report_.fail("the free slot ", slot, " names a lock at ", intent);
  }
  if (rec.wait.linked != 0) return report_.fail("the free slot ", slot, " is linked as a waiter");
  if (rec.wait.message != 0 || rec.in_flight != 0) {
    return report_.fail("the free slot ", slot, " owns a message");
  }
  u64 owned = rec.garbage | rec.destroying | rec.array | rec.loose | rec.wait.sem.ops;
  for (u64 block : rec.journal_blocks) owned |= block;
  for (const PolledQueue& polled : rec.polled) owned |= polled.queue;
  if (owned != 0) return report_.fail("the free slot ", slot, " owns a block");
  return true;
}

bool CellCheck::check_live_record(const TaskRec& rec, u32 slot) {
  if (is_token_dead(rec.token)) return report_.fail("task ", slot, " is dead and not reaped");
  if (rec.journal_count > kJournalEntriesMax) {
    return report_.fail("task ", slot, " has a journal of ", rec.journal_count);
  }
  if (!is_quiescent()) return true;
  if (rec.journal_count != 0) {
    return report_.fail("task ", slot, " has an open journal of ", rec.journal_count);
  }
  for (u64 intent : rec.intents) {
    if (intent != 0) return report_.fail("task ", slot, " names a lock at ", intent);
  }
  if ((rec.in_flight | rec.garbage | rec.destroying | rec.array | rec.loose) != 0) {
    return report_.fail("task ", slot, " is in no operation and owns a block");
  }
  return true;
}

bool CellCheck::check_task(u32 slot) {
  const u64 state = load_acquire(cell_.layout().task_states[slot - 1]);
  const TaskRec& rec = *cell_.task(slot);
  if (state == kTaskLive) return check_live_record(rec, slot);
  if (state != 0 && state >> 62 != kTaskClaiming >> 62) {
    return report_.fail("slot ", slot, " has the state ", state);
  }
  return check_idle_record(rec, slot);
}

// ---------------------------------------------------------------- heap

bool CellCheck::check_free_list(const FreeList& list, u32 class_index, BlockOwner owner,
                                u64 where) {
  u64 count = 0;
  const u64 limit = chunks_used_ * (kChunkSize / kBlockSize[class_index]);
  for (u64 offset = list.head; offset != 0; ++count) {
    if (count > limit) return report_.fail(name_of(owner), " (", where, ") is a ring");
    if (!claim(offset, static_cast<BlockClass>(class_index), owner, where)) return false;
    offset = cell_.at<FreeBlock>(offset)->next;
  }
  if (count != list.count) {
    return report_.fail(name_of(owner), " (", where, ") has ", count, " blocks and says ",
                        list.count);
  }
  return true;
}

bool CellCheck::check_class(u32 class_index) {
  const ClassHeap& heap_class = cell_.layout().heap.classes[class_index];
  const u64 size = kBlockSize[class_index];
  if (heap_class.bump_end == 0) {
    if (heap_class.bump != 0 || heap_class.free.head != 0 || heap_class.free.count != 0) {
      return report_.fail("class ", class_index, " has blocks and no chunk");
    }
    return true;
  }
  const u64 last = heap_class.bump_end - 1 - kHeapOffset;
  const u32 chunk = static_cast<u32>(last / kChunkSize);
  if (last >= chunks_used_ * kChunkSize || static_cast<u32>(class_of_chunk(chunk)) != class_index ||
      heap_class.bump_end != chunk_offset(chunk) + kChunkSize / size * size) {
    return report_.fail("the end of class ", class_index, "'s chunk is ", heap_class.bump_end);
  }
  if (heap_class.bump < chunk_offset(chunk) || heap_class.bump > heap_class.bump_end ||
      (heap_class.bump - chunk_offset(chunk)) % size != 0) {
    return report_.fail("the watermark of class ", class_index, " is ", heap_class.bump);
  }
  return check_free_list(heap_class.free, class_index, BlockOwner::FreeList, class_index);
}

bool CellCheck::check_caches(const TaskRec& rec, u32 slot) {
  for (u32 class_index = 0; class_index < kBlockClasses; ++class_index) {
    u32 count = 0;
    for (u64 offset = rec.cache[class_index]; offset != 0; ++count) {
      // One more than the limit: free_block() puts the block in before it gives others back.
      if (count > kCacheLimit[class_index]) {
        return report_.fail("task ", slot, " keeps too many blocks of class ", class_index);
      }
      if (!claim(offset, static_cast<BlockClass>(class_index), BlockOwner::Cache, slot))
        return false;
      offset = cell_.at<FreeBlock>(offset)->next;
    }
  }
  return true;
}

bool CellCheck::check_heap() {
  const Heap& heap = cell_.layout().heap;
  bool held;
  if (!check_lock(heap.lock, "the heap's lock", 0, &held)) return false;
  if (held) return true;
  for (u32 class_index = 0; class_index < kBlockClasses; ++class_index) {
    if (!check_class(class_index)) return false;
  }
  return true;
}

bool CellCheck::is_in_transaction(const TaskRec& rec) const {
  bool names_locks = false;
  for (u64 intent : rec.intents) names_locks = names_locks || intent != 0;
  return names_locks || rec.journal_count != 0;
}

bool CellCheck::check_tables() {
  if (report_.has_failed() || !check_header()) return false;
  const u32 high = cell_.header().slots_high;
  for (u32 slot = 1; slot <= high; ++slot) {
    if (is_live(slot) && is_in_transaction(*cell_.task(slot))) is_busy_ = true;
  }
  for (u32 slot = 1; slot <= high; ++slot) {
    if (!check_task(slot)) return false;
  }
  if (!check_heap()) return false;
  for (u32 slot = 1; slot <= high; ++slot) {
    const TaskRec& rec = *cell_.task(slot);
    if (!is_live(slot)) continue;
    for (u64 block : rec.journal_blocks) {
      if (block != 0 && !claim(block, BlockClass::Bytes8256, BlockOwner::Journal, slot))
        return false;
    }
    if (!is_in_transaction(rec) && !check_caches(rec, slot)) return false;
  }
  return true;
}

}  // namespace ipcell
