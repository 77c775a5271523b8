#include "core/cell/journal.h"

#include "core/cell/heap.h"

namespace ipcell {

namespace {

// What stands in a block of a long journal; the heap's link before it.
struct JournalBlock {
  u64 free_link;
  u64 pad;
  JournalEntry entries[kJournalBlockEntries];
};
static_assert(sizeof(JournalBlock) <= kLargestBlock);

// nullptr if there is no such entry.
JournalEntry* entry_at(const Cell& cell, TaskRec& rec, u32 n) {
  if (n < kJournalEntries) return &rec.journal[n];
  if (n >= kJournalEntriesMax) return nullptr;
  const u32 in_blocks = n - kJournalEntries;
  auto* block = cell.at<JournalBlock>(rec.journal_blocks[in_blocks / kJournalBlockEntries]);
  return block != nullptr ? &block->entries[in_blocks % kJournalBlockEntries] : nullptr;
}

// Puts one old value back. False if the entry can't have been written by Journal::set().
bool restore(const Cell& cell, const JournalEntry& entry) {
  const u64 offset = entry.place >> 4;
  const u64 size = entry.place & 15;
  if ((size != 4 && size != 8) || offset % 4 != 0 || offset > kCellSize - size) return false;
  u8* place = cell.address_of(offset);
  if (place == nullptr) return false;
  if (size == 4) {
    store_relaxed(*reinterpret_cast<u32*>(place), static_cast<u32>(entry.old_value));
  } else {
    // Written by halves where the place is 4-aligned only; records align 64-bit fields to 8.
    if (offset % 8 != 0) return false;
    store_relaxed(*reinterpret_cast<u64*>(place), entry.old_value);
  }
  return true;
}

}  // namespace

IPCELL_NOINLINE JournalEntry* Journal::long_entry(const Cell& cell, TaskRec& rec, u32 n) {
  JournalEntry* entry = entry_at(cell, rec, n);
  if (entry != nullptr) return entry;
  cell.poison("a task's journal is longer than a journal can be");
  return rec.journal;
}

IPCELL_NOINLINE int reserve_long_journal(Task& task, u32 entries) {
  if (entries > kJournalEntriesMax) return -ENOMEM;
  for (u32 n = 0; kJournalEntries + n * kJournalBlockEntries < entries; ++n) {
    u64& place = task.rec->journal_blocks[n];
    if (place != 0) continue;
    ReservedBlock block;
    if (const int error = block.reserve(task, BlockClass::Bytes8256)) return error;
    Journal journal(task);
    block.take(journal, task);
    journal.set(place, block.offset());
    journal.commit();
  }
  return 0;
}

int roll_back_journal(const Cell& cell, TaskRec& rec) {
  const u32 count = load_acquire(rec.journal_count);
  if (count > kJournalEntriesMax)
    return cell.poison("a task's journal is longer than a journal can be");
  // Newest first: a place that was set twice ends with its oldest value.
  for (u32 n = count; n-- > 0;) {
    const JournalEntry* entry = entry_at(cell, rec, n);
    if (entry == nullptr || !restore(cell, *entry))
      return cell.poison("a task's journal names no place of the cell");
  }
  kill_barrier();
  store_release(rec.journal_count, 0u);
  return 0;
}

}  // namespace ipcell
