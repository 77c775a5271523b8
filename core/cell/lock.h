// The one-word lock, and the recovery of locks whose owner died. docs/locking.md has the states.
//
// Order: reap < memory < registry < processes < object < heap < recovery. At most one object lock
// at a time.
#pragma once

#include "core/cell/journal.h"

namespace ipcell {

// Takes a lock that is not free at once.
void lock_contended(Task& task, LockWord& lock_word);
void wake_lock_waiter(LockWord& lock_word);

IPCELL_ALWAYS_INLINE void lock(Task& task, LockWord& lock_word) {
  // Named first: if the task dies with the lock, a reaper finds it here.
  store_relaxed(task.rec->intents[task.lock_depth], task.cell->offset_of(&lock_word));
  ++task.lock_depth;
  kill_barrier();
  u32 expected = 0;
  if (!compare_exchange(lock_word.word, expected, task.slot)) [[unlikely]] {
    lock_contended(task, lock_word);
  }
}

IPCELL_ALWAYS_INLINE void unlock(Task& task, LockWord& lock_word) {
  kill_barrier();
  const u32 value = exchange(lock_word.word, 0u);
  kill_barrier();
  --task.lock_depth;
  store_relaxed(task.rec->intents[task.lock_depth], 0);
  if ((value & kLockWaiters) != 0) [[unlikely]]
    wake_lock_waiter(lock_word);
}

// Gives the dead task's locks back, after its unfinished operation was taken back. May be called
// with any locks held. Does nothing if the task is alive, or was recovered by another. `wanted` is
// free afterwards, whatever a damaged cell says.
void recover_locks(Task& task, u32 dead_slot, LockWord* wanted = nullptr);

// A task's token should tell of its death, but some ways to die leave it unmarked: an OOM kill
// before Linux 5.18, a robust list that the kernel could not walk. Asks for the thread itself, and
// marks its token if it is not there.
void look_for_task(const Task& task, TaskRec& other);

// Takes the lock if nobody holds it, or a dead task. False if a living one does.
bool try_lock(Task& task, LockWord& lock_word);

// The recovery lock, the innermost. A slot leaves kTaskLive only under it: nobody recovers the
// locks of a slot that has changed hands.
class RecoveryLocked {
 public:
  explicit RecoveryLocked(Task& task);
  ~RecoveryLocked();
  RecoveryLocked(const RecoveryLocked&) = delete;
  RecoveryLocked& operator=(const RecoveryLocked&) = delete;

 private:
  Task& task_;
};

class IPCELL_SCOPED_CAPABILITY Locked {
 public:
  Locked(Task& task, LockWord& word) : task_(task), word_(word) { lock(task_, word_); }
  ~Locked() { unlock(task_, word_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Task& task_;
  LockWord& word_;
};

}  // namespace ipcell
