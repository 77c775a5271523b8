#include "core/ipc/check.h"

#include "core/ipc/check_mqueue.h"
#include "core/ipc/check_sem.h"
#include "core/ipc/check_shm.h"
#include "core/ipc/msg.h"

namespace ipcell {

namespace {

// By hand: the compiler's own may call into libgcc.
int count_bits(u64 word) {
  int count = 0;
  for (unsigned long long rest = word; rest != 0; rest &= rest - 1) ++count;
  return count;
}

// --------------------------------------------------------------------------- registry

// Entries above max_idx may have no memory behind them, and say nothing.
class RegistryCheck {
 public:
  RegistryCheck(CellCheck& check, const Registry& registry, u32 family)
      : check_(check), registry_(registry), family_(family) {}

  // False if there is a violation. `*held`: somebody works on it, nothing was looked at.
  bool run(bool* held);

 private:
  bool fail(const char* what, i64 value) {
    return check_.report().fail("registry ", family_, ": ", what, " (", value, ")");
  }
  bool is_used(i32 idx) const { return (registry_.used[idx / 64] >> (idx % 64) & 1) != 0; }
  bool check_bitmap();
  bool check_numbers();
  bool check_entry(i32 idx);
  bool check_chains();

  CellCheck& check_;
  const Registry& registry_;
  u32 family_;
  i32 keyed_ = 0;  // entries that stand in a chain
  i64 total_ = 0;  // semaphores in the sets; pages of the segments
};

bool RegistryCheck::check_bitmap() {
  i32 count = 0, highest = -1;
  for (i32 word = 0; word < static_cast<i32>(kMaxIds) / 64; ++word) {
    const u64 bits = registry_.used[word];
    const bool is_full = (registry_.used_summary[word / 64] >> (word % 64) & 1) != 0;
    if (is_full != (bits == ~0ull)) return fail("the summary is wrong about the word", word);
    if (bits == 0) continue;
    count += count_bits(bits);
    highest = word * 64 + 63 - __builtin_clzll(bits);
  }
  if (count != registry_.in_use) return fail("in_use is not what the bitmap counts", count);
  if (highest != registry_.max_idx) return fail("max_idx is not the bitmap's highest", highest);
  return true;
}

bool RegistryCheck::check_numbers() {
  if (registry_.seq < 0 || registry_.seq >= kMaxSeq)
    return fail("seq is out of range", registry_.seq);
  const auto limit = static_cast<i32>(kMaxIds);
  if (registry_.last_idx < -1 || registry_.last_idx >= limit) {
    return fail("last_idx is out of range", registry_.last_idx);
  }
  if (registry_.next_idx < 0 || registry_.next_idx > limit) {
    return fail("next_idx is out of range", registry_.next_idx);
  }
  if (registry_.next_id < -1) return fail("next_id is out of range", registry_.next_id);
  return true;
}

bool RegistryCheck::check_entry(i32 idx) {
  const RegistryEntry& entry = registry_.entries[idx];
  if (!is_used(idx)) return entry.record == 0 || fail("a free index has a record", idx);
  constexpr BlockClass kClasses[kFamilies] = {BlockClass::MsgQueue, BlockClass::SemSet,
                                              BlockClass::Segment};
  if (!check_.claim(entry.record, kClasses[family_], BlockOwner::Registry, static_cast<u64>(idx)))
    return false;
  if (family_ == kFamilySem) total_ += check_.cell().at<SemSetRec>(entry.record)->nsems;
  if (family_ == kFamilyShm)
    total_ += static_cast<i64>(check_.cell().at<SegmentRec>(entry.record)->pages);
  const auto& object = *check_.cell().at<ObjectHead>(entry.record);
  if (load_acquire(object.lock.word) != 0 && !check_.is_quiescent()) return true;
  if (object.live != 1) return fail("an index with a record that does not live", idx);
  if (object.perm.id < 0 || static_cast<i32>(idx_of(object.perm.id)) != idx) {
    return fail("a record with another index's id", object.perm.id);
  }
  if (object.perm.key != entry.key) return fail("an entry with another key than its record", idx);
  if (entry.key != static_cast<i32>(Key::Private)) ++keyed_;
  return true;
}

bool RegistryCheck::check_chains() {
  i32 steps = 0;
  for (u32 bucket = 0; bucket < kKeyBuckets; ++bucket) {
    for (u32 next = registry_.key_buckets[bucket]; next != 0; ++steps) {
      if (next > kMaxIds || static_cast<i32>(next) - 1 > registry_.max_idx) {
        return fail("a key chain leads out of the table", next);
      }
      if (steps >= keyed_) return fail("the key chains are rings or hold too much", bucket);
      if (!is_used(static_cast<i32>(next) - 1))
        return fail("a key chain holds a free index", next - 1);
      next = registry_.entries[next - 1].key_next;
    }
  }
  if (steps != keyed_) return fail("the key chains lack objects", keyed_ - steps);
  // Each key leads to its own entry, so no two entries have the same.
  for (i32 idx = 0; idx <= registry_.max_idx; ++idx) {
    const i32 key = registry_.entries[idx].key;
    if (!is_used(idx) || key == static_cast<i32>(Key::Private)) continue;
    if (find_key_locked(check_.cell(), registry_, static_cast<Key>(key)) != static_cast<Idx>(idx)) {
      return fail("the key of an index does not lead to it", idx);
    }
  }
  return true;
}

bool RegistryCheck::run(bool* held) {
  if (!check_.check_lock(registry_.lock, "a registry's lock", family_, held)) return false;
  if (*held) return true;
  if (!check_bitmap() || !check_numbers()) return false;
  for (i32 idx = 0; idx <= registry_.max_idx; ++idx) {
    if (!check_entry(idx)) return false;
  }
  if (total_ != registry_.total) return fail("total is not what its objects have", total_);
  return check_chains();
}

}  // namespace

// --------------------------------------------------------------------------- messages

bool check_message(CellCheck& check, u64 offset, bool is_whole, BlockOwner owner, u64 where) {
  u64 left = 0;
  for (bool is_first = true; offset != 0; is_first = false) {
    if (!check.claim(offset, BlockClass::Count, owner, where)) return false;
    const auto& block = *check.cell().at<MsgBlock>(offset);
    if (is_first) left = block.size;
    if (is_whole && class_of_block(check.cell(), offset) != class_for_text(left)) {
      return check.report().fail("the message piece at ", offset, " is no block for ", left,
                                 " bytes");
    }
    left -= left < kPieceText ? left : kPieceText;
    if (is_whole && (left == 0) != (block.more == 0)) {
      return check.report().fail("the message at ", offset, " is longer or shorter than it says");
    }
    offset = block.more;
  }
  return true;
}

namespace {

// Linux: ipc/msg.c:testmsg(). Written again on purpose: this is the judge of the other.
bool is_wanted(const MsgBlock& message, const WaitNode& node) {
  if (node.mode == SEARCH_EQUAL) return message.type == node.type;
  if (node.mode == SEARCH_NOTEQUAL) return message.type != node.type;
  if (node.mode == SEARCH_LESSEQUAL) return message.type <= node.type;
  return node.mode == SEARCH_ANY || node.mode == SEARCH_NUMBER;
}

// --------------------------------------------------------------------------- queues

class QueueCheck {
 public:
  QueueCheck(CellCheck& check, u64 offset)
      : check_(check), offset_(offset), queue_(*check.cell().at<MsgQueueRec>(offset)) {}

  // Adds the waiters that it found to `*waiters`.
  bool run(u32* waiters);

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("queue ", queue_.perm.id, ": ", parts...);
  }
  bool check_messages();
  bool check_list(const WaitList& list, WaitKind kind, u32* waiters);
  bool check_waiter(u32 slot, const WaitNode& node, WaitKind kind);
  bool check_receiver(u32 slot, const WaitNode& node);
  bool check_sender(u32 slot, const WaitNode& node);

  CellCheck& check_;
  u64 offset_;
  const MsgQueueRec& queue_;
};

bool QueueCheck::check_messages() {
  const MsgLoad held = queue_.held();
  u64 count = 0, bytes = 0, last = 0;
  for (u64 offset = queue_.first; offset != 0 && count <= held.qnum; ++count) {
    if (!check_message(check_, offset, true, BlockOwner::Queue, offset_)) return false;
    const auto& message = *check_.cell().at<MsgBlock>(offset);
    if (message.type < 1) return fail("a message of type ", message.type);
    bytes += message.size;
    last = offset;
    offset = message.next;
  }
  if (count != held.qnum) return fail("qnum is ", held.qnum, ", the messages are ", count);
  if (bytes != held.cbytes) return fail("cbytes is ", held.cbytes, ", the messages have ", bytes);
  if (count != 0 && last != queue_.last) return fail("the last message is not where `last` says");
  return true;
}

bool QueueCheck::check_receiver(u32 slot, const WaitNode& node) {
  if (node.message != 0) return fail("the waiting receiver ", slot, " has a message");
  if (node.perm_seq != queue_.perm_seq) {
    return fail("the waiting receiver ", slot, " was not asked to look at its permission again");
  }
  u64 count = 0;
  for (u64 offset = queue_.first; offset != 0 && count < queue_.held().qnum; ++count) {
    const auto& message = *check_.cell().at<MsgBlock>(offset);
    if (is_wanted(message, node)) return fail("receiver ", slot, " waits beside a message for it");
    offset = message.next;
  }
  return true;
}

bool QueueCheck::check_sender(u32 slot, const WaitNode& node) {
  if (!check_message(check_, node.message, true, BlockOwner::Waiter, slot)) return false;
  if (node.message == 0) return fail("the waiting sender ", slot, " has no message");
  const auto& message = *check_.cell().at<MsgBlock>(node.message);
  if (static_cast<i64>(message.size) != node.max_size) {
    return fail("the waiting sender ", slot, " has another size than its message");
  }
  const MsgLoad held = queue_.held();
  const bool has_room =
      held.cbytes + message.size <= queue_.qbytes && held.qnum + u64{1} <= queue_.qbytes;
  return !has_room || fail("sender ", slot, " waits although its message fits");
}

bool QueueCheck::check_waiter(u32 slot, const WaitNode& node, WaitKind kind) {
  if (!check_.is_live(slot)) return fail("the waiter ", slot, " is no task");
  if (node.linked != 1) return fail("the waiter ", slot, " says that it is not linked");
  if (node.kind != kind) return fail("the waiter ", slot, " is in the wrong list");
  if (node.object != offset_) return fail("the waiter ", slot, " waits on ", node.object);
  if (node.result != kWaitPending)
    return fail("the waiter ", slot, " has the result ", node.result);
  const u32 word = load_acquire(node.word);
  if (word != kWaitSpinning && word != kWaitSleeping) {
    return fail("the waiter ", slot, " has the wait word ", word);
  }
  // While the queue is to be settled, senders may have room and receivers a message.
  if (queue_.unsettled != 0) {
    return kind != WaitKind::Sender ||
           check_message(check_, node.message, true, BlockOwner::Waiter, slot);
  }
  return kind == WaitKind::Sender ? check_sender(slot, node) : check_receiver(slot, node);
}

bool QueueCheck::check_list(const WaitList& list, WaitKind kind, u32* waiters) {
  u32 previous = kNoSlot;
  for (u32 slot = list.first; slot != kNoSlot; ++*waiters) {
    if (slot > check_.cell().header().slots_high) return fail("the waiter ", slot, " is no slot");
    if (*waiters >= kTaskSlots) return fail("the list of waiters is a ring");
    const WaitNode& node = check_.cell().task(slot)->wait;
    if (node.prev != previous) return fail("the waiter ", slot, " has the predecessor ", node.prev);
    if (!check_waiter(slot, node, kind)) return false;
    previous = slot;
    slot = node.next;
  }
  return list.last == previous ||
         fail("the last waiter is ", previous, ", the list says ", list.last);
}

bool QueueCheck::run(u32* waiters) {
  bool held;
  if (!check_.check_lock(queue_.lock, "a queue's lock", offset_, &held)) return false;
  if (held) return true;
  if (queue_.refusing != 0 && queue_.unsettled == 0) return fail("it refuses, and is settled");
  if (queue_.unsettled != 0 && check_.is_quiescent()) return fail("it is not settled");
  return check_messages() && check_list(queue_.receivers, WaitKind::Receiver, waiters) &&
         check_list(queue_.senders, WaitKind::Sender, waiters);
}

}  // namespace

bool check_free_record(CellCheck& check, u64 offset) {
  const auto& object = *check.cell().at<ObjectHead>(offset);
  bool held;
  if (!check.check_lock(object.lock, "a free record's lock", offset, &held)) return false;
  if (held || object.live == 0) return true;
  return check.report().fail("the record at ", offset, " lives in no registry");
}

namespace {

bool check_queues(CellCheck& check, u32* waiters) {
  for (u32 chunk = 0; chunk < check.chunks_used(); ++chunk) {
    if (check.class_of_chunk(chunk) != BlockClass::MsgQueue) continue;
    u64 offset;
    for (u32 n = 0; (offset = check.block_in_chunk(chunk, n)) != 0; ++n) {
      const bool is_object = check.owner_of(offset) == BlockOwner::Registry;
      if (!(is_object ? QueueCheck(check, offset).run(waiters)
                      : check_free_record(check, offset))) {
        return false;
      }
    }
  }
  return true;
}

// --------------------------------------------------------------------------- owner fields

bool claim_garbage(CellCheck& check, u64 offset, u32 slot) {
  while (offset != 0) {
    if (!check_message(check, offset, true, BlockOwner::Garbage, slot)) return false;
    offset = check.cell().at<MsgBlock>(offset)->next;
  }
  return true;
}

bool check_owner_fields(CellCheck& check, u32 slot, u32* linked) {
  const TaskRec& rec = *check.cell().task(slot);
  if (rec.wait.linked != 0) {
    ++*linked;
  } else if (!check_message(check, rec.wait.message, true, BlockOwner::Waiter, slot)) {
    return false;
  }
  if (!check_message(check, rec.in_flight, false, BlockOwner::InFlight, slot)) return false;
  if (!claim_garbage(check, rec.garbage, slot)) return false;
  if (!claim_sem_fields(check, rec, slot)) return false;
  if (rec.destroying == 0) return true;
  const BlockClass block_class = class_of_block(check.cell(), rec.destroying);
  const bool is_other = block_class == BlockClass::SemSet || block_class == BlockClass::Segment ||
                        block_class == BlockClass::Mqueue;
  return check.claim(rec.destroying, is_other ? block_class : BlockClass::MsgQueue,
                     BlockOwner::Destroying, slot);
}

bool check_all(CellCheck& check) {
  if (!check.check_tables()) return false;
  const CellLayout& layout = check.cell().layout();
  bool is_registry_held = false;
  for (u32 family = 0; family < kFamilies; ++family) {
    bool held;
    if (!RegistryCheck(check, layout.registries[family], family).run(&held)) return false;
    is_registry_held = is_registry_held || held;
  }
  // While somebody is in a transaction, what it works on can't be judged, nor what refers to it.
  if (check.is_busy() || is_registry_held) return true;
  u32 linked = 0, waiters = 0, holds = 0;
  for (u32 slot = 1; slot <= layout.header.slots_high; ++slot) {
    if (check.is_live(slot) && !check_owner_fields(check, slot, &linked)) return false;
  }
  if (!check_queues(check, &waiters) || !check_sets(check, &waiters, &holds)) return false;
  if (!check_mqueues(check, &waiters)) return false;
  if (!check_segments(check, &holds) || !check_processes(check, holds)) return false;
  if (linked != waiters) {
    return check.report().fail(linked, " tasks are linked as waiters, the objects hold ", waiters);
  }
  return check.check_none_lost();
}

}  // namespace

const char* check_cell(const Cell& cell, CheckMode mode, char* text, std::size_t size) {
  CellCheck check(cell, mode, text, size);
  return check_all(check) ? nullptr : text;
}

}  // namespace ipcell
