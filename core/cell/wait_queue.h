// Sleeping on an object until another task has finished the operation.
//
// The kernel's hand-off: the waker completes the sleeper's operation under the object's lock (the
// result stands in the sleeper's WaitNode), commits, and only then publishes it in the wait word.
// What a waker that died in between did not publish, the sleeper finds at its next recheck, under
// the lock. docs/locking.md, "A sleeper's states".
#pragma once

#include "core/cell/futex.h"
#include "core/cell/liveness.h"
#include "core/cell/lock.h"

namespace ipcell {

// A FIFO of blocked tasks in an object's record, linked through their WaitNodes by slot + 1.
// Guarded by the object's lock.
struct WaitList {
  u32 first, last;
};

// Links the task's own node at the end. Part of the caller's transaction.
void link_waiter(Journal& journal, const Cell& cell, WaitList& list, u32 slot);
// The same before the node of slot `next`; kNoSlot: at the end.
void link_waiter_before(Journal& journal, const Cell& cell, WaitList& list, u32 slot, u32 next);
// Takes a node out of the list. Part of the caller's transaction; false if the list is broken.
bool unlink_waiter(Journal& journal, const Cell& cell, WaitList& list, u32 slot);

// The tasks to be woken by futex_wake(2) when the lock has been released.
class WakeList {
 public:
  explicit WakeList(const Cell& cell) : cell_(cell) {}
  ~WakeList() {
    if (count_ != 0) flush();
  }
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;

  // Publishes that the task's result stands; after the commit, under the object's lock.
  void publish(u32 slot);
  // Tells the sleeper that its turn is near: it comes to spin for it.
  void call(u32 slot) { wake_with(slot, kWaitNext); }
  // Wakes the sleeper for nothing: it looks again at what it watches.
  void poke(u32 slot) { wake_with(slot, kWaitPoked); }
  void flush();

 private:
  void wake_with(u32 slot, u32 value);

  static constexpr u32 kCapacity = 16;
  const Cell& cell_;
  u32 count_ = 0;
  u32 slots_[kCapacity];
};

// How a task sleeps: what it looks at, and for how long.
struct WaitPlan {
  // Called now and then, in a Critical: takes the object's lock, looks whether the operation was
  // finished, and if so stores kWaitDone in the wait word. May write to the fields below.
  void (*recheck)(Task& task, WaitPlan& plan);
  // Called after the deadline, in a Critical: takes the operation back; false if it was already
  // finished.
  bool (*expire)(Task& task) = nullptr;
  i64 deadline_ns = 0;          // CLOCK_MONOTONIC; 0: none
  i64 recheck_ns = kRecheckNs;  // how long the next sleep may last; doubled before each recheck
  i64 dying_ns = 0;             // the last of ever longer sleeps while somebody is dying
  u32 rechecks = 0;             // made so far
  // Tasks whose deaths concern the sleeper: slots + 1.
  u32 watched = 0;
  u32 watch[kFutexWaitvMax - 1];
};

enum class WaitEnd {
  Done,         // the result stands
  Interrupted,  // a handler took the operation back (interrupt_wait())
  Expired       // it was taken back at its deadline
};

// CLOCK_MONOTONIC in nanoseconds.
i64 monotonic_nanoseconds();

// True if the task wants to be called when its turn is near; asked once for each wait.
bool would_spin_for_turn(Task& task);

// Prepares the node's wait word; before the node is linked.
void begin_wait(Task& task);
// Sleeps until the node's result stands, or the operation was taken back: after Interrupted the
// caller returns -EINTR and touches the node no more. The caller is in exactly one Critical and
// holds no lock; handlers may run inside.
WaitEnd sleep_until_done(Task& task, WaitPlan& plan);

}  // namespace ipcell
