#include "core/ipc/segment_space.h"
#include "core/ipc/shm.h"
#include "core/syscalls.h"

namespace ipcell {

namespace {

SegmentRec* record_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Segment ? cell.at<SegmentRec>(offset)
                                                             : nullptr;
}

// The first segment whose pages end behind `page`, nullptr if there is none. The registry is
// locked. A list that is broken is left for others to find.
const SegmentRec* find_segment(const Cell& cell, u64 page) {
  const SegmentRec* segment = record_at(cell, cell.layout().segment_space.first);
  for (u64 steps = 0; segment != nullptr; ++steps) {
    if (segment->first_page + segment->pages > page) return segment;
    if (steps > kHeapSize / sizeof(SegmentRec)) return nullptr;
    segment = record_at(cell, segment->space_next);
  }
  return nullptr;
}

void describe(const SegmentRec& segment, u64 offset, MappedPart* part) {
  part->is_ipc = true;
  part->id = segment.perm.id;
  part->key = static_cast<u32>(segment.first_key);
  part->offset = offset;
}

}  // namespace

bool sys_shm_own_part(Task& task, u64 start, u64 end, MappedPart* part) {
  const Critical critical(task);
  if (task.addresses == nullptr) return false;
  const LockedMap locked(task);
  *part = {};
  part->end = end;
  const i32 index = task.addresses->find_from(start);
  if (index < 0) return true;
  const Piece& piece = task.addresses->at(static_cast<u32>(index));
  const SegmentRec* segment = record_at(*task.cell, piece.segment);
  if (segment == nullptr) return false;
  if (piece.start > start) {
    // Something of our own, up to the piece.
    if (piece.start < end) part->end = piece.start;
    return true;
  }
  if (piece.end < end) part->end = piece.end;
  // An attached segment's id and first key never change.
  describe(*segment, piece.page * kPage + (start - piece.start), part);
  return true;
}

bool sys_shm_part_at(Task& task, u64 start, u64 end, u64 file_offset, MappedPart* part) {
  const Critical critical(task);
  const Cell& cell = *task.cell;
  if (file_offset < kCellSize) return false;
  const u64 page = (file_offset - kCellSize) / kPage;
  // A process's own mapping of all segments.
  if (page == 0 && end - start > cell.header().segment_pages * kPage) return false;
  *part = {};
  part->end = end;
  Locked registry(task, shm_registry(cell).lock);
  const SegmentRec* segment = find_segment(cell, page);
  if (segment == nullptr) return true;
  const bool is_before = segment->first_page > page;
  const u64 border = is_before ? segment->first_page : segment->first_page + segment->pages;
  if ((end - start) / kPage > border - page) part->end = start + (border - page) * kPage;
  if (!is_before) describe(*segment, (page - segment->first_page) * kPage, part);
  return true;
}

}  // namespace ipcell
