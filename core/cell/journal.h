// The undo journal: a task's stores to shared state, so that whoever finds the task dead can take
// back an operation that it did not finish.
//
// Rules:
//  - Every store to state that another task can reach goes through Journal::set(), under the lock
//    that guards the place (or into the task's own part of its TaskRec).
//  - Memory that nobody can reach yet (a message being built, a fresh record) is written directly.
//  - commit() is one store. After it the operation has happened; before it, it has not.
//  - What others read without the lock is stored after commit() ("publish after commit").
//  - An operation's stores fit into kJournalEntries, or it reserves room for more before it begins;
//    other longer work is cut into transactions each of which leaves a state that is right in
//    itself.
// The order of the stores is all that counts: a killed thread's stores are a prefix of its program
// order, hence kill_barrier() and no fence.
#pragma once

#include "core/base/atomic.h"
#include "core/cell/task.h"

namespace ipcell {

class Journal {
 public:
  explicit Journal(Task& task) : rec_(*task.rec), cell_(*task.cell), base_(task.cell->base()) {}

  template <class T>
  IPCELL_ALWAYS_INLINE void set(T& place, std::type_identity_t<T> value) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    const u32 n = rec_.journal_count;
    JournalEntry& entry = n < kJournalEntries ? rec_.journal[n] : *long_entry(cell_, rec_, n);
    entry.place = (offset_of(&place) << 4) | sizeof(T);
    entry.old_value = bits_of(place);
    kill_barrier();
    store_relaxed(rec_.journal_count, n + 1);
    kill_barrier();
    store_relaxed(place, value);
    kill_barrier();
  }
  // Many fields keep their value from call to call (a last pid, a second's time stamp).
  template <class T>
  IPCELL_ALWAYS_INLINE void set_if_changed(T& place, std::type_identity_t<T> value) {
    if (place != value) set(place, value);
  }
  IPCELL_ALWAYS_INLINE void commit() {
    kill_barrier();
    store_relaxed(rec_.journal_count, 0u);
    kill_barrier();
  }

 private:
  u64 offset_of(const void* place) const {
    if constexpr (kMapsWholeCell) return static_cast<u64>(static_cast<const u8*>(place) - base_);
    return cell_.offset_of(place);
  }
  template <class T>
  static u64 bits_of(const T& place) {
    if constexpr (sizeof(T) == 4) {
      u32 bits;
      __builtin_memcpy(&bits, &place, 4);
      return bits;
    } else {
      unsigned long long bits;
      __builtin_memcpy(&bits, &place, 8);
      return bits;
    }
  }

  // The entry in a block of the heap. Operations reserve what they need: only a scribbled count can
  // be too large. The cell is damaged then, and what is stored from here on does not matter.
  static JournalEntry* long_entry(const Cell& cell, TaskRec& rec, u32 n);

  TaskRec& rec_;
  const Cell& cell_;
  u8* base_;
};

// Makes sure that the task's next transaction may have `entries` stores. 0, -ENOMEM, -EIO. Takes
// the heap lock; no transaction is open.
int reserve_long_journal(Task& task, u32 entries);
inline int reserve_journal(Task& task, u32 entries) {
  return entries <= kJournalEntries ? 0 : reserve_long_journal(task, entries);
}

// Rolls back the journal of `rec`, which is dead and whose locks are still taken, or the caller's.
// Idempotent: a recoverer that dies in it is followed by another. 0, or -EIO for a scribbled one.
int roll_back_journal(const Cell& cell, TaskRec& rec);

}  // namespace ipcell
