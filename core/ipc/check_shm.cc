#include "core/ipc/check_shm.h"

#include "core/ipc/check_sem.h"

namespace ipcell {

namespace {

class SegmentCheck {
 public:
  SegmentCheck(CellCheck& check, u64 offset)
      : check_(check), cell_(check.cell()), offset_(offset),
        segment_(*cell_.at<SegmentRec>(offset)) {}

  // `is_object`: else it is being made or torn down.
  bool run(bool is_object, u32* holds);
  bool is_marked() const { return (segment_.perm.mode & SHM_DEST) != 0; }

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("segment ", segment_.perm.id, ": ", parts...);
  }
  bool check_numbers();
  bool check_holds(bool is_object, u32* holds);
  bool check_hold(const HoldRec& hold, u64 at);
  bool check_armed();

  CellCheck& check_;
  const Cell& cell_;
  u64 offset_;
  const SegmentRec& segment_;
  u32 armed_ = 0;
  u64 attached_ = 0;
};

bool SegmentCheck::check_numbers() {
  if (segment_.size == 0 || segment_.pages != pages_of(segment_.size))
    return fail("has ", segment_.pages, " pages for ", segment_.size, " bytes");
  if ((segment_.perm.mode & ~(kModeBits | SHM_DEST | SHM_LOCKED)) != 0)
    return fail("has the mode ", segment_.perm.mode);
  if (segment_.is_unwanted > 1 || segment_.maker_slot == kNoSlot ||
      segment_.maker_slot > kTaskSlots)
    return fail("has no maker");
  const bool is_private = segment_.perm.key == static_cast<i32>(Key::Private);
  if ((segment_.perm.mode & SHM_DEST) != 0 && !is_private) return fail("is removed and has a key");
  if (!is_private && segment_.perm.key != segment_.first_key) return fail("has another key");
  return true;
}

bool SegmentCheck::check_hold(const HoldRec& hold, u64 at) {
  if (hold.live != 1 || hold.object != offset_ || hold.object_id != segment_.perm.id)
    return fail("the attachments at ", at, " are another segment's");
  // No slot that is named as a witness is freed.
  if (hold.witness != kNoSlot &&
      (hold.witness > cell_.header().slots_high || !check_.is_live(hold.witness)))
    return fail("the attachments at ", at, " have no task as witness");
  if (hold.amount != 0) ++armed_;
  attached_ += hold.amount;
  return true;
}

bool SegmentCheck::check_holds(bool is_object, u32* holds) {
  u64 previous = 0;
  for (u64 at = segment_.holds.all; at != 0; ++*holds) {
    if (!check_.claim(at, BlockClass::Attach, BlockOwner::Attach, offset_)) return false;
    const HoldRec& hold = *cell_.at<HoldRec>(at);
    if (hold.object_prev != previous) return fail("the attachments at ", at, " are not linked");
    if (is_object && !check_hold(hold, at)) return false;
    previous = at;
    at = hold.object_next;
  }
  return true;
}

bool SegmentCheck::check_armed() {
  u64 previous = 0;
  u32 count = 0;
  for (u64 at = segment_.holds.armed; at != 0; ++count) {
    if (count == armed_) return fail("the list of those attached is too long");
    if (check_.owner_of(at) != BlockOwner::Attach) return fail("what is attached is no record");
    const HoldRec& hold = *cell_.at<HoldRec>(at);
    if (hold.amount == 0) return fail("the process at ", at, " is attached with nothing");
    if (hold.armed_prev != previous) return fail("the list of those attached is broken at ", at);
    previous = at;
    at = hold.armed_next;
  }
  return count == armed_ || fail("attached are ", count, ", and should be ", armed_);
}

bool SegmentCheck::run(bool is_object, u32* holds) {
  bool held;
  if (!check_.check_lock(segment_.lock, "a segment's lock", offset_, &held)) return false;
  if (held) return true;
  if (!check_holds(is_object, holds)) return false;
  if (!is_object) return true;
  if (!check_numbers() || !check_armed()) return false;
  if (attached_ != segment_.nattch)
    return fail("nattch is ", segment_.nattch, ", they are ", attached_);
  return !check_.is_quiescent() || !is_doomed(segment_) || fail("is left to nobody");
}

// --------------------------------------------------------------------------- where pages stand

class SpaceCheck {
 public:
  explicit SpaceCheck(CellCheck& check)
      : check_(check), cell_(check.cell()), space_(cell_.layout().segment_space) {}
  bool run();
  // True if the list has so many segments, and no other says that it is in it.
  bool has_all(u32 in_space) const { return in_space == count_; }

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("the segments' pages: ", parts...);
  }
  bool check_one(const SegmentRec& segment, u64 at, u64 previous);

  CellCheck& check_;
  const Cell& cell_;
  const SegmentSpace& space_;
  u64 end_ = 0;
  u64 promised_ = 0;
  u64 abandoned_ = 0;
  u32 count_ = 0;
  bool has_cursor_ = false;
};

bool SpaceCheck::check_one(const SegmentRec& segment, u64 at, u64 previous) {
  if (segment.in_space != 1) return fail("the one at ", at, " says that it has none");
  if (segment.space_prev != previous) return fail("the list is broken at ", at);
  if (segment.first_page < end_) return fail("those of ", at, " are another's as well");
  const u64 limit = cell_.header().segment_pages;
  if (segment.pages > limit || segment.first_page > limit - segment.pages)
    return fail("those of ", at, " are outside");
  end_ = segment.first_page + segment.pages;
  if (segment.is_promised != 0) promised_ += segment.pages;
  has_cursor_ = has_cursor_ || at == space_.cursor;
  if (segment.is_abandoned == 0) return true;
  ++abandoned_;
  return check_.claim(at, BlockClass::Segment, BlockOwner::Abandoned, 0);
}

bool SpaceCheck::run() {
  bool held;
  if (!check_.check_lock(space_.memory_lock, "the lock of the segments' memory", 0, &held))
    return false;
  u64 previous = 0;
  for (u64 at = space_.first; at != 0; ++count_) {
    if (class_of_block(cell_, at) != BlockClass::Segment) return fail("no segment at ", at);
    const SegmentRec& segment = *cell_.at<SegmentRec>(at);
    if (!check_one(segment, at, previous)) return false;
    previous = at;
    at = segment.space_next;
  }
  if (space_.cursor != 0 && !has_cursor_) return fail("the cursor is none of them");
  if (promised_ != space_.promised)
    return fail("promised are ", space_.promised, ", they are ", promised_);
  return abandoned_ == space_.abandoned ||
         fail("abandoned are ", space_.abandoned, ", they are ", abandoned_);
}

}  // namespace

bool check_segments(CellCheck& check, u32* holds) {
  SpaceCheck space(check);
  if (!space.run()) return false;
  u32 in_space = 0;
  u64 marked = 0;
  for (u32 chunk = 0; chunk < check.chunks_used(); ++chunk) {
    if (check.class_of_chunk(chunk) != BlockClass::Segment) continue;
    u64 offset;
    for (u32 n = 0; (offset = check.block_in_chunk(chunk, n)) != 0; ++n) {
      const BlockOwner owner = check.owner_of(offset);
      const bool is_segment = owner == BlockOwner::Registry || owner == BlockOwner::Destroying ||
                              owner == BlockOwner::Abandoned;
      if (!is_segment) {
        if (!check_free_record(check, offset)) return false;
        continue;
      }
      in_space += check.cell().at<SegmentRec>(offset)->in_space;
      SegmentCheck segment(check, offset);
      if (!segment.run(owner == BlockOwner::Registry, holds)) return false;
      if (owner == BlockOwner::Registry && segment.is_marked()) ++marked;
    }
  }
  const u64 noted = check.cell().layout().segment_space.marked;
  if (marked != noted)
    return check.report().fail("the segments' pages: marked are ", noted, ", they are ", marked);
  return space.has_all(in_space) || check.report().fail("the segments' pages: ", in_space,
                                                        " segments say that they have some");
}

bool check_processes(CellCheck& check, u32 holds) {
  const Cell& cell = check.cell();
  const ProcessTable& table = cell.layout().processes;
  bool held;
  if (!check.check_lock(table.lock, "the lock of the processes", 0, &held)) return false;
  if (held) return true;
  u32 count = 0;
  for (u32 bucket = 0; bucket < kProcessBuckets; ++bucket) {
    for (u64 offset = table.buckets[bucket]; offset != 0;) {
      if (!check.claim(offset, BlockClass::Process, BlockOwner::Process, bucket)) return false;
      const ProcessRec& process = *cell.at<ProcessRec>(offset);
      if (static_cast<u32>(process.pid) % kProcessBuckets != bucket)
        return check.report().fail("the process ", process.pid, " is in bucket ", bucket);
      u64 previous = 0;
      for (u64 at = process.holds; at != 0; ++count) {
        if (count == holds)
          return check.report().fail("the processes' lists have more than the objects'");
        const BlockOwner owner = check.owner_of(at);
        if (owner != BlockOwner::Undo && owner != BlockOwner::Attach)
          return check.report().fail("the process ", process.pid, " holds what is no record");
        const HoldRec& hold = *cell.at<HoldRec>(at);
        if (hold.process != offset || hold.proc_prev != previous)
          return check.report().fail("the list of process ", process.pid, " is broken");
        previous = at;
        at = hold.proc_next;
      }
      offset = process.next;
    }
  }
  return count == holds ||
         check.report().fail("the processes' lists have ", count, " records, the objects' ", holds);
}

}  // namespace ipcell
