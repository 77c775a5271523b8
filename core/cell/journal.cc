#include "core/cell/journal.h"

namespace ipcell {

namespace {

// Puts one old value back. False if the entry can't have been written by Journal::set().
bool restore(const Cell& cell, const JournalEntry& entry) {
  const u64 offset = entry.place >> 4;
  const u64 size = entry.place & 15;
  if ((size != 4 && size != 8) || offset % 4 != 0 || offset > kCellSize - size) return false;
  u8* place = cell.base() + offset;
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

IPCELL_COLD u32 Journal::overflow(const Cell& cell) {
  cell.poison("a task's journal is longer than a journal can be");
  return 0;
}

int roll_back_journal(const Cell& cell, TaskRec& rec) {
  const u32 count = load_acquire(rec.journal_count);
  if (count > kJournalEntries)
    return cell.poison("a task's journal is longer than a journal can be");
  // Newest first: a place that was set twice ends with its oldest value.
  for (u32 n = count; n-- > 0;) {
    if (!restore(cell, rec.journal[n]))
      return cell.poison("a task's journal names no place of the cell");
  }
  kill_barrier();
  store_release(rec.journal_count, 0u);
  return 0;
}

}  // namespace ipcell
