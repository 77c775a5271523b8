#include "core/ipc/segment_space.h"

#include <cerrno>

#include "core/cell/wait_queue.h"

namespace ipcell {

namespace {

constexpr char kBrokenSpace[] = "the list of segments' pages is broken";

// What stays free of a filesystem where pages are paid for when touched: room for the whole heap,
// which may be needed at any time.
constexpr u64 kSlackPages = kHeapSize / kPage;

SegmentRec* segment_at(const Cell& cell, u64 offset) {
  return class_of_block(cell, offset) == BlockClass::Segment ? cell.at<SegmentRec>(offset)
                                                             : nullptr;
}

u64 end_of(const SegmentRec* segment) {
  return segment != nullptr ? segment->first_page + segment->pages : 0;
}

// Looks at the gaps behind `from` (0: the front) and on.
bool find_gap(const Cell& cell, u64 pages, u64 from, u64* first_page, u64* before) {
  const SegmentSpace& space = cell.layout().segment_space;
  const u64 limit = cell.header().segment_pages;
  u64 at = from;
  for (u32 steps = 0;; ++steps) {
    const SegmentRec* segment = segment_at(cell, at);
    if ((at != 0 && segment == nullptr) || steps > kHeapSize / sizeof(SegmentRec)) {
      cell.poison(kBrokenSpace);
      return false;
    }
    const u64 start = end_of(segment);
    const u64 next = segment != nullptr ? segment->space_next : space.first;
    const SegmentRec* behind = segment_at(cell, next);
    const u64 end = behind != nullptr ? behind->first_page : limit;
    if (start <= end && end - start >= pages) {
      *first_page = start;
      *before = at;
      return true;
    }
    if (next == 0) return false;
    at = next;
  }
}

template <class Visit>
void for_each_segment(const Cell& cell, Visit visit) {
  u64 steps = 0;
  for (u64 at = cell.layout().segment_space.first; at != 0; ++steps) {
    SegmentRec* segment = segment_at(cell, at);
    if (segment == nullptr || steps > kHeapSize / sizeof(SegmentRec)) {
      cell.poison(kBrokenSpace);
      return;
    }
    at = segment->space_next;
    if (!visit(*segment)) return;
  }
}

bool leaves_slack(u64 untouched, u64 free) {
  return untouched <= free / 4 && free - untouched >= kSlackPages;
}

// Pages that were promised, and have no memory yet.
u64 count_untouched(Task& task) {
  u64 untouched = 0;
  for_each_segment(*task.cell, [&](const SegmentRec& segment) {
    if (segment.is_promised == 0) return true;
    const u64 resident = task.addresses->file.count_resident(range_of(segment));
    untouched += segment.pages > resident ? segment.pages - resident : 0;
    return true;
  });
  return untouched;
}

void promise(Task& task, SegmentRec& segment) {
  Locked locked(task, shm_registry(*task.cell).lock);
  SegmentSpace& space = task.cell->layout().segment_space;
  Journal journal(task);
  journal.set(segment.is_promised, 1u);
  journal.set(space.promised, space.promised + segment.pages);
  journal.commit();
}

constexpr i64 kMomentNs = 100'000'000;

// A few pages may be promised without asking the filesystem each time.
bool is_allowed(SegmentSpace& space, u64 pages) {
  if (pages > space.allowance || monotonic_nanoseconds() - space.asked_ns > kMomentNs) return false;
  store_relaxed(space.allowance, space.allowance - pages);
  return true;
}

// After the filesystem was asked: `spare` pages more could be promised.
void set_allowance(SegmentSpace& space, u64 spare) {
  constexpr u64 kMost = (16u << 20) / kPage;
  // Hints: what is lost with a death is asked for again.
  store_relaxed(space.allowance, spare / 64 < kMost ? spare / 64 : kMost);
  store_relaxed(space.asked_ns, monotonic_nanoseconds());
}

// Counting takes long where there are many: what was counted a moment ago does.
u64 recall_untouched(Task& task, SegmentSpace& space) {
  const i64 now_ns = monotonic_nanoseconds();
  if (space.counted_ns == 0 || now_ns - space.counted_ns > kMomentNs) {
    Locked locked(task, shm_registry(*task.cell).lock);
    store_relaxed(space.untouched, count_untouched(task));
    store_relaxed(space.counted_ns, now_ns);
  }
  return space.untouched;
}

// The memory lock is held.
int ask_for_memory(Task& task, SegmentRec& segment) {
  SegmentFile& file = task.addresses->file;
  SegmentSpace& space = task.cell->layout().segment_space;
  const u64 wanted = segment.pages;
  u64 free = 0;
  if (file.pays_when_touched(&free)) {
    u64 untouched = load_relaxed(space.promised);
    if (!leaves_slack(untouched + wanted, free)) untouched = recall_untouched(task, space);
    if (leaves_slack(untouched + wanted, free)) {
      promise(task, segment);
      set_allowance(space, free / 4 - (untouched + wanted));
      store_relaxed(space.untouched, space.untouched + wanted);
      return 0;
    }
    store_relaxed(space.allowance, 0);
    // What is reserved now must not be what was promised to others.
    if (untouched + wanted > free) return -ENOMEM;
  }
  Journal journal(task);
  journal.set(segment.is_touched, 1u);
  journal.commit();
  return file.reserve(range_of(segment));
}

}  // namespace

bool find_room(const Cell& cell, u64 pages, u64* first_page, u64* before) {
  if (pages > cell.header().segment_pages) return false;
  const u64 cursor = cell.layout().segment_space.cursor;
  return find_gap(cell, pages, cursor, first_page, before) ||
         (cursor != 0 && find_gap(cell, pages, 0, first_page, before));
}

void link_segment(Journal& journal, const Cell& cell, SegmentRec& segment, u64 before) {
  SegmentSpace& space = cell.layout().segment_space;
  const u64 offset = cell.offset_of(&segment);
  SegmentRec* previous = segment_at(cell, before);
  u64& link = previous != nullptr ? previous->space_next : space.first;
  SegmentRec* next = segment_at(cell, link);
  journal.set(segment.space_prev, before);
  journal.set(segment.space_next, link);
  journal.set(segment.in_space, 1u);
  if (next != nullptr) journal.set(next->space_prev, offset);
  journal.set(link, offset);
  journal.set(space.cursor, offset);
}

void unlink_segment(Journal& journal, const Cell& cell, SegmentRec& segment) {
  SegmentSpace& space = cell.layout().segment_space;
  if (segment.in_space == 0) return;
  SegmentRec* previous = segment_at(cell, segment.space_prev);
  SegmentRec* next = segment_at(cell, segment.space_next);
  journal.set(previous != nullptr ? previous->space_next : space.first, segment.space_next);
  if (next != nullptr) journal.set(next->space_prev, segment.space_prev);
  if (space.cursor == cell.offset_of(&segment)) journal.set(space.cursor, segment.space_prev);
  if (segment.is_promised != 0) {
    journal.set(segment.is_promised, 0u);
    journal.set(space.promised, space.promised - segment.pages);
  }
  journal.set(segment.in_space, 0u);
}

int secure_memory(Task& task, SegmentRec& segment) {
  SegmentSpace& space = task.cell->layout().segment_space;
  Locked memory(task, space.memory_lock);
  if (is_allowed(space, segment.pages)) {
    promise(task, segment);
    return 0;
  }
  return ask_for_memory(task, segment);
}

}  // namespace ipcell
