#include "core/cell/lock.h"

#include "core/cell/liveness.h"

namespace ipcell {

namespace {

constexpr u32 kLockSpins = 100;

u32 owner_of(u32 word) { return word & ~kLockWaiters; }

// Sleeps until the word changes, its owner dies, or kRecheckMs are over.
void sleep_on_lock(Task& task, LockWord& lock_word, u32 value) {
  TaskRec* owner = task.cell->task(owner_of(value));
  if (owner == nullptr) {
    task.cell->poison("a lock's owner is no task");
    store_release(lock_word.word, 0u);
    return;
  }
  const u32 token = load_acquire(owner->token.word);
  const int result = futex_wait_two(lock_word.word, value, owner->token.word, token, kRecheckMs);
  if (result == -ENOSYS) futex_wait(lock_word.word, value, kRecheckMs);
}

// Frees the lock at `offset` if the dead task holds it.
void release_for_dead(const Cell& cell, u32 dead_slot, u64 offset) {
  if (offset == 0) return;
  if (offset > kCellSize - sizeof(LockWord) || offset % alignof(LockWord) != 0) {
    cell.poison("a task names a lock outside of the cell");
    return;
  }
  auto& lock_word = *reinterpret_cast<LockWord*>(cell.base() + offset);
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

}  // namespace

IPCELL_COLD void lock_contended(Task& task, LockWord& lock_word) {
  // Who has slept cannot know whether others sleep too, and takes the lock with the bit set.
  u32 waiters_bit = 0;
  for (u32 spins = 0;; ++spins) {
    u32 value = load_relaxed(lock_word.word);
    if (owner_of(value) == 0) {
      if (compare_exchange(lock_word.word, value, task.slot | waiters_bit)) return;
      continue;
    }
    if (owner_of(value) <= kTaskSlots && is_dead(*task.cell, owner_of(value))) {
      recover_locks(task, owner_of(value));
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
    sleep_on_lock(task, lock_word, value | kLockWaiters);
    waiters_bit = kLockWaiters;
    spins = 0;
  }
}

IPCELL_COLD void wake_lock_waiter(LockWord& lock_word) { futex_wake(lock_word.word, 1); }

// The recovery lock has no recovery: what its holder does may be repeated, so it is simply taken
// from a dead holder.
IPCELL_COLD RecoveryLocked::RecoveryLocked(Task& task) : task_(task) {
  u32& word = task.cell->header().recovery_lock.word;
  for (;;) {
    u32 value = load_acquire(word);
    const u32 owner = value & kRecoverySlot;
    if (owner == 0 || owner > kTaskSlots || is_dead(*task.cell, owner)) {
      const u32 taken = ((value & ~kRecoverySlot) + kRecoveryTurn) | task.slot;
      if (compare_exchange(word, value, taken)) return;
      continue;
    }
    futex_wait(word, value, 1);
  }
}

RecoveryLocked::~RecoveryLocked() {
  u32& word = task_.cell->header().recovery_lock.word;
  store_release(word, load_relaxed(word) & ~kRecoverySlot);
}

IPCELL_COLD void recover_locks(Task& task, u32 dead_slot) {
  const RecoveryLocked locked(task);
  TaskRec* dead = task.cell->task(dead_slot);
  if (dead == nullptr || !is_dead(*task.cell, dead_slot)) return;
  if (roll_back_journal(*task.cell, *dead) == 0) {
    for (u64 offset : dead->intents) release_for_dead(*task.cell, dead_slot, offset);
    for (u64& offset : dead->intents) store_release(offset, 0);
  }
  task.dead_seen = dead_slot;
}

}  // namespace ipcell
