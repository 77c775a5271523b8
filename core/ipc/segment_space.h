// Where the pages of segments stand in the cell's file, and what memory is behind them.
// docs/locking.md, "Shared memory".
#pragma once

#include "core/ipc/shm.h"

namespace ipcell {

inline PageRange range_of(const SegmentRec& segment) {
  return {segment.first_page, segment.in_space != 0 ? segment.pages : 0};
}

// Finds room for the fresh record's pages; `*before` is the segment behind which it is, 0 for the
// front. False if there is none. The registry is locked.
bool find_room(const Cell& cell, u64 pages, u64* first_page, u64* before);
// Puts the record into the list, in the open transaction.
void link_segment(Journal& journal, const Cell& cell, SegmentRec& segment, u64 before);
// Takes it out, in the open transaction.
void unlink_segment(Journal& journal, const Cell& cell, SegmentRec& segment);

// Sees to it that a store to the segment, which is linked and still the task's own, always finds
// memory: by a promise, or by reserving it. 0, -ENOMEM. No lock is held.
int secure_memory(Task& task, SegmentRec& segment);

}  // namespace ipcell
