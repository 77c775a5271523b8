#include "core/cell/lock.h"

#include "core/cell/liveness.h"

namespace ipcell {

namespace {

constexpr u32 kLockSpins = 100;

u32 owner_of(u32 word) { return word & ~kLockWaiters; }

// A sleeper that found the same owner for this many rechecks (a second) looks for what should not
// be.
constexpr u32 kPatientRechecks = 20;
constexpr u32 kDoubts = 3;

// Sleeps until the word changes, its owner dies, or kRecheckNs are over.
void sleep_on_lock(LockWord& lock_word, u32 value, TaskRec& owner) {
  const u32 token = load_acquire(owner.token.word);
  if ((token & kFutexOwnerDied) != 0) return;
  const FutexWaitv words[] = {futex_waitv_entry(lock_word.word, value),
                              futex_waitv_entry(owner.token.word, token)};
  const int result = futex_wait_many(words, 2, kRecheckNs);
  // The kernel wakes one of those who wait for a death: the others may have other concerns.
  if (result == 1) futex_wake(owner.token.word, kFutexWakeAll);
  const bool has_waited =
      result >= 0 || result == -EAGAIN || result == -ETIMEDOUT || result == -EINTR;
  // No futex_waitv here, or a filter that forbids it.
  if (!has_waited) futex_wait(lock_word.word, value, kRecheckNs);
}

// True if the owner names the lock among those that it holds or takes.
bool is_named_by(const Task& task, const LockWord& lock_word, const TaskRec& owner) {
  const u64 offset = task.cell->offset_of(&lock_word);
  for (const u64& intent : owner.intents) {
    if (load_acquire(intent) == offset) return true;
  }
  return false;
}

}  // namespace

void look_for_task(const Task& task, TaskRec& owner) {
  if (owner.pid_namespace == 0 || owner.pid_namespace != task.identity.pid_namespace) return;
  u32 token = load_acquire(owner.token.word);
  if ((token & kFutexOwnerDied) != 0) return;
  if (sys::call(SYS_tgkill, owner.pid, owner.tid, 0) != -ESRCH) return;
  compare_exchange(owner.token.word, token, kFutexOwnerDied);
}

namespace {

// Whoever holds the lock can't be: the cell was scribbled on.
void free_from_nobody(const Task& task, LockWord& lock_word, u32 value) {
  task.cell->poison("a lock's owner is no task");
  compare_exchange(lock_word.word, value, 0);
}

// Frees the lock at `offset` if the dead task holds it.
void release_for_dead(const Cell& cell, u32 dead_slot, u64 offset) {
  if (offset == 0) return;
  if (offset > kCellSize - sizeof(LockWord) || offset % alignof(LockWord) != 0) {
    cell.poison("a task names a lock outside of the cell");
    return;
  }
  auto* const place = reinterpret_cast<LockWord*>(cell.address_of(offset));
  if (place == nullptr) return;
  LockWord& lock_word = *place;
  if (owner_of(load_acquire(lock_word.word)) != dead_slot) return;
  // Sleepers may be many and the dead owed one of them the wake-up.
  exchange(lock_word.word, 0u);
  futex_wake(lock_word.word, 1);
}

// The recovery lock's word: the holder's slot, and a count of its takings, without which a taker
// could take the lock from a slot that has died, been reaped, claimed and locked anew meanwhile.
constexpr u32 kRecoverySlot = 0x7fff;
constexpr u32 kRecoveryTurn = kRecoverySlot + 1;
static_assert(kTaskSlots <= kRecoverySlot);
// Milliseconds in which a holder that does not know of the lock is believed.
constexpr u32 kRecoveryDoubts = 1000;

}  // namespace

IPCELL_COLD void lock_contended(Task& task, LockWord& lock_word) {
  // Who has slept cannot know whether others sleep too, and takes the lock with the bit set.
  u32 waiters_bit = 0;
  u32 rechecks = 0;
  u32 doubts = 0;
  for (u32 spins = 0;; ++spins) {
    u32 value = load_relaxed(lock_word.word);
    const u32 owner = owner_of(value);
    if (owner == 0) {
      if (compare_exchange(lock_word.word, value, task.slot | waiters_bit)) return;
      continue;
    }
    TaskRec* rec = task.cell->task(owner);
    // A task takes no lock twice.
    if (rec == nullptr || owner == task.slot) {
      free_from_nobody(task, lock_word, value);
      continue;
    }
    if (is_dead(*task.cell, owner)) {
      recover_locks(task, owner, &lock_word);
      continue;
    }
    if (spins < kLockSpins) {
      cpu_relax();
      continue;
    }
    if ((value & kLockWaiters) == 0 &&
        !compare_exchange(lock_word.word, value, value | kLockWaiters)) {
      continue;
    }
    sleep_on_lock(lock_word, value | kLockWaiters, *rec);
    waiters_bit = kLockWaiters;
    spins = 0;
    if (++rechecks % kPatientRechecks != 0) continue;
    look_for_task(task, *rec);
    // An owner that does not know of its lock may have let it go and taken it again in this moment,
    // but not time after time. Nor is a lock held by a slot that is not in use.
    const bool is_live = load_acquire(task.cell->layout().task_states[owner - 1]) == kTaskLive;
    doubts = is_live && is_named_by(task, lock_word, *rec) ? 0 : doubts + 1;
    if (doubts == kDoubts) free_from_nobody(task, lock_word, value | kLockWaiters);
  }
}

bool try_lock(Task& task, LockWord& lock_word) {
  const u32 owner = owner_of(load_relaxed(lock_word.word));
  if (owner != 0 && !is_dead(*task.cell, owner)) return false;
  lock(task, lock_word);
  return true;
}

IPCELL_COLD void wake_lock_waiter(LockWord& lock_word) { futex_wake(lock_word.word, 1); }

// The recovery lock has no recovery: what its holder does may be repeated, so it is simply taken
// from a dead holder.
IPCELL_COLD RecoveryLocked::RecoveryLocked(Task& task) : task_(task) {
  LockWord& lock_word = task.cell->header().recovery_lock;
  u32& word = lock_word.word;
  // Named as other locks are, so that a word that was scribbled there can be told from a holder's.
  store_release(task.rec->intents[kRecoveryIntent], task.cell->offset_of(&lock_word));
  u32 doubts = 0;
  u32 doubted = 0;
  for (;;) {
    u32 value = load_acquire(word);
    if (value != doubted) doubts = 0;
    doubted = value;
    const u32 owner = value & kRecoverySlot;
    // A holder's slot is live; what is not was scribbled there.
    const bool is_held = owner != 0 && owner <= kTaskSlots && owner != task.slot &&
                         load_acquire(task.cell->layout().task_states[owner - 1]) == kTaskLive;
    if (!is_held || is_dead(*task.cell, owner) || doubts == kRecoveryDoubts) {
      const u32 taken = ((value & ~kRecoverySlot) + kRecoveryTurn) | task.slot;
      if (compare_exchange(word, value, taken)) return;
      continue;
    }
    futex_wait(word, value, 1'000'000);
    doubts = is_named_by(task, lock_word, *task.cell->task(owner)) ? 0 : doubts + 1;
  }
}

RecoveryLocked::~RecoveryLocked() {
  u32& word = task_.cell->header().recovery_lock.word;
  store_release(word, load_relaxed(word) & ~kRecoverySlot);
  kill_barrier();
  store_relaxed(task_.rec->intents[kRecoveryIntent], 0);
}

IPCELL_COLD void recover_locks(Task& task, u32 dead_slot, LockWord* wanted) {
  const RecoveryLocked locked(task);
  TaskRec* dead = task.cell->task(dead_slot);
  if (dead == nullptr || !is_dead(*task.cell, dead_slot)) return;
  // A journal that makes no sense poisons the cell; its locks are freed all the same, for the sake
  // of those who wait.
  if (roll_back_journal(*task.cell, *dead) != 0) store_release(dead->journal_count, 0u);
  for (u32 n = 0; n < kRecoveryIntent; ++n)
    release_for_dead(*task.cell, dead_slot, dead->intents[n]);
  if (wanted != nullptr && owner_of(load_acquire(wanted->word)) == dead_slot) {
    task.cell->poison("a dead task holds a lock that it did not name");
    exchange(wanted->word, 0u);
    futex_wake(wanted->word, 1);
  }
  for (u64& offset : dead->intents) store_release(offset, 0);
  task.dead_seen = dead_slot;
}

}  // namespace ipcell
