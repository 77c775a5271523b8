#include "core/ipc/check_sem.h"

#include <sys/sem.h>

#include "core/ipc/limits.h"

namespace ipcell {

namespace {

class SetCheck {
 public:
  SetCheck(CellCheck& check, u64 offset)
      : check_(check), cell_(check.cell()), offset_(offset), set_(*cell_.at<SemSetRec>(offset)) {}

  // `is_object`: else it is removed, and being torn down. Adds what it found to the counts.
  bool run(bool is_object, u32* waiters, u32* undos);

 private:
  template <class... Parts>
  bool fail(Parts... parts) {
    return check_.report().fail("set ", set_.perm.id, ": ", parts...);
  }
  bool is_settled() const { return set_.unsettled == 0 && set_.burying == 0; }
  bool check_values();
  bool check_lists();
  bool check_list(const WaitList& list);
  bool check_waiter(u32 slot, const WaitNode& node, const WaitList& list);
  const SemOp* ops_of(const SemWait& wait) const;
  bool can_go_on(const SemWait& wait, const SemOp* ops);
  bool check_undos(u32* undos);
  bool check_undo(const UndoRec& undo, u64 offset);
  bool check_armed(u32 armed);

  CellCheck& check_;
  const Cell& cell_;
  u64 offset_;
  SemSetRec& set_;
  u32 waiters_ = 0;
  u32 complex_ = 0;
  u32 armed_ = 0;
};

bool SetCheck::check_values() {
  for (u32 num = 0; num < set_.nsems; ++num) {
    const Semaphore* sem = semaphore_at(cell_, set_, num);
    if (sem == nullptr) return fail("has no semaphore ", num);
    if (sem->get().value > SEMVMX) return fail("semaphore ", num, " is too large");
    if (set_.merged != 0 && is_settled() && sem->alter.first != kNoSlot)
      return fail("semaphore ", num, " has waiters of its own, though the lists are merged");
  }
  return true;
}

const SemOp* SetCheck::ops_of(const SemWait& wait) const {
  if (wait.count == 1) return &wait.op;
  const auto* block = cell_.at<FreeBlock>(wait.ops);
  return block != nullptr ? reinterpret_cast<const SemOp*>(block + 1) : nullptr;
}

// Linux: ipc/sem.c:perform_atomic_semop_slow(). Written again on purpose: this is the judge of the
// other. Those that would be told an error would go on as well.
bool SetCheck::can_go_on(const SemWait& wait, const SemOp* ops) {
  for (u32 n = 0; n < wait.count; ++n) {
    const Semaphore* sem = semaphore_at(cell_, set_, ops[n].num);
    if (sem == nullptr) return false;
    i32 value = sem->get().value;
    for (u32 before = 0; before < n; ++before) {
      if (ops[before].num == ops[n].num) value += ops[before].op;
    }
    const bool must_wait = ops[n].op == 0 ? value != 0 : value + ops[n].op < 0;
    if (must_wait) return (ops[n].flags & IPC_NOWAIT) != 0;
  }
  return true;
}

bool SetCheck::check_waiter(u32 slot, const WaitNode& node, const WaitList& list) {
  if (!check_.is_live(slot)) return fail("the waiter ", slot, " is no task");
  if (node.linked != 1) return fail("the waiter ", slot, " says that it is not linked");
  if (node.kind != WaitKind::Semop) return fail("the waiter ", slot, " is in no semop");
  if (node.object != offset_) return fail("the waiter ", slot, " waits on ", node.object);
  if (node.result != kWaitPending)
    return fail("the waiter ", slot, " has the result ", node.result);
  const u32 word = load_acquire(node.word);
  if (word == kWaitIdle || word == kWaitDone)
    return fail("the waiter ", slot, " has the wait word ", word);
  const SemWait& wait = node.sem;
  const SemOp* ops = ops_of(wait);
  if (wait.count == 0 || wait.count > kSemOpsMax || ops == nullptr || wait.blocking >= wait.count)
    return fail("the waiter ", slot, " has broken operations");
  if (wait.count > 1) ++complex_;
  bool alters = false;
  for (u32 n = 0; n < wait.count; ++n) {
    alters = alters || ops[n].op != 0;
    if (ops[n].num >= set_.nsems) return fail("the waiter ", slot, " wants what is not there");
  }
  if (alters != (wait.alters != 0)) return fail("the waiter ", slot, " is wrong about its kind");
  if (!is_settled()) return true;
  if (list_of(cell_, set_, node) != &list) return fail("the waiter ", slot, " is in another list");
  // What is only for waiters of zero is looked at again when something becomes zero.
  return !alters || !can_go_on(wait, ops) || fail("the waiter ", slot, " could go on");
}

bool SetCheck::check_list(const WaitList& list) {
  u32 previous = kNoSlot;
  for (u32 slot = list.first; slot != kNoSlot; ++waiters_) {
    if (slot > cell_.header().slots_high) return fail("the waiter ", slot, " is no slot");
    if (waiters_ >= kTaskSlots) return fail("a list of waiters is a ring");
    const WaitNode& node = cell_.task(slot)->wait;
    if (node.prev != previous) return fail("the waiter ", slot, " has the predecessor ", node.prev);
    if (!check_waiter(slot, node, list)) return false;
    previous = slot;
    slot = node.next;
  }
  return list.last == previous ||
         fail("the last waiter is ", previous, ", the list says ", list.last);
}

bool SetCheck::check_lists() {
  bool is_good = true;
  for_each_wait_list(cell_, set_, [&](WaitList& list) { return is_good = check_list(list); });
  if (!is_good) return false;
  if (waiters_ != set_.waiters) return fail("waiters is ", set_.waiters, ", they are ", waiters_);
  if (complex_ != set_.complex_count)
    return fail("complex_count is ", set_.complex_count, ", they are ", complex_);
  if (is_settled() && (set_.merged != 0) != (complex_ != 0)) return fail("merged is ", set_.merged);
  return true;
}

bool SetCheck::check_undo(const UndoRec& undo, u64 offset) {
  if (undo.hold.live != 1 || undo.hold.object != offset_ || undo.hold.object_id != set_.perm.id)
    return fail("the adjustments at ", offset, " are another set's");
  const bool is_large = set_.nsems > kInlineAdjustments;
  if (is_large != (undo.array != 0)) return fail("the adjustments at ", offset, " have no array");
  if (!check_.claim_array(undo.array, set_.nsems * sizeof(u64), BlockOwner::Undo, offset))
    return false;
  u32 nonzero = 0;
  for (u32 num = 0; num < set_.nsems; ++num) {
    const u64* word = adjustment_at(cell_, const_cast<UndoRec&>(undo), num);
    if (word == nullptr) return fail("the adjustments at ", offset, " are broken");
    if ((*word & 0xffff) != 0) ++nonzero;
  }
  // No slot that is named as a witness is freed.
  if (undo.hold.witness != kNoSlot &&
      (undo.hold.witness > cell_.header().slots_high || !check_.is_live(undo.hold.witness)))
    return fail("the adjustments at ", offset, " have no task as witness");
  if (undo.hold.amount != 0) ++armed_;
  if (set_.burying == offset) return true;
  if (nonzero != undo.hold.amount)
    return fail("nonzero is ", undo.hold.amount, ", they are ", nonzero);
  return undo.hold.is_spent == 0 || nonzero == 0 || fail("something spent is left at ", offset);
}

bool SetCheck::check_undos(u32* undos) {
  u64 previous = 0;
  u32 count = 0;
  for (u64 offset = set_.holds.all; offset != 0; ++count) {
    if (!check_.claim(offset, BlockClass::Undo, BlockOwner::Undo, offset_)) return false;
    const UndoRec& undo = *cell_.at<UndoRec>(offset);
    if (undo.hold.object_prev != previous)
      return fail("the adjustments at ", offset, " are not linked");
    // A removed set has no semaphores any more.
    if (set_.live != 0 && !check_undo(undo, offset)) return false;
    if (set_.live == 0 && !check_.claim_array(undo.array, 0, BlockOwner::Undo, offset))
      return false;
    previous = offset;
    offset = undo.hold.object_next;
  }
  *undos += count;
  return true;
}

bool SetCheck::check_armed(u32 armed) {
  u64 previous = 0;
  u32 count = 0;
  for (u64 offset = set_.holds.armed; offset != 0; ++count) {
    if (count == armed) return fail("the list of armed adjustments is too long");
    if (check_.owner_of(offset) != BlockOwner::Undo) return fail("what is armed is no record");
    const UndoRec& undo = *cell_.at<UndoRec>(offset);
    if (undo.hold.amount == 0)
      return fail("the adjustments at ", offset, " are armed with nothing");
    if (undo.hold.armed_prev != previous) return fail("the armed list is broken at ", offset);
    previous = offset;
    offset = undo.hold.armed_next;
  }
  return count == armed || fail("armed are ", count, ", and should be ", armed);
}

bool SetCheck::run(bool is_object, u32* waiters, u32* undos) {
  bool held;
  if (!check_.check_lock(set_.lock, "a set's lock", offset_, &held)) return false;
  if (held) return true;
  const u64 size = is_object ? set_.nsems * sizeof(Semaphore) : 0;
  if (!check_.claim_array(set_.sems, size, BlockOwner::Set, offset_)) return false;
  if (!check_undos(undos)) return false;
  if (!is_object) return true;
  if (!is_settled() && check_.is_quiescent()) return fail("it is not settled");
  if (!check_values() || !check_lists() || !check_armed(armed_)) return false;
  *waiters += waiters_;
  return true;
}

}  // namespace

bool claim_sem_fields(CellCheck& check, const TaskRec& rec, u32 slot) {
  if (rec.wait.sem.ops != 0 &&
      !check.claim(rec.wait.sem.ops, BlockClass::Count, BlockOwner::Waiter, slot)) {
    return false;
  }
  if (!check.claim_array(rec.array, 0, BlockOwner::Array, slot)) return false;
  if (rec.loose == 0) return true;
  return check.claim(rec.loose, class_of_block(check.cell(), rec.loose), BlockOwner::Loose, slot);
}

bool check_sets(CellCheck& check, u32* waiters, u32* holds) {
  for (u32 chunk = 0; chunk < check.chunks_used(); ++chunk) {
    if (check.class_of_chunk(chunk) != BlockClass::SemSet) continue;
    u64 offset;
    for (u32 n = 0; (offset = check.block_in_chunk(chunk, n)) != 0; ++n) {
      const BlockOwner owner = check.owner_of(offset);
      const bool is_set = owner == BlockOwner::Registry || owner == BlockOwner::Destroying;
      if (is_set) {
        if (!SetCheck(check, offset).run(owner == BlockOwner::Registry, waiters, holds))
          return false;
      } else if (!check_free_record(check, offset)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace ipcell
