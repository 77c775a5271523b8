#include "core/cell/lock.h"

#include "core/cell/liveness.h"
#include "core/cell/task_table.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

#include <unistd.h>

namespace ipcell {

namespace {

// In the heap's memory, which no block occupies.
struct Guarded {
  LockWord outer, inner;
  u32 count;
  u32 other_count;
};

class LockTest {
 public:
  LockTest() { REQUIRE(cell.populate(kHeapOffset, sizeof(Guarded)) == 0); }
  Guarded& guarded() { return *reinterpret_cast<Guarded*>(cell.scratch()); }

  test::TestCell cell;
};

// The recovery lock's word counts its takings above the owner's slot.
u32 recovery_owner(const Cell& cell) { return cell.header().recovery_lock.word & 0x7fff; }

// Counts under the lock in a way that loses counts if two are in at once.
long count_up(Task& task, Guarded& guarded, int times) {
  for (int n = 0; n < times; ++n) {
    const Locked locked(task, guarded.outer);
    const u32 seen = guarded.count;
    if (n % 64 == 0) cpu_relax();
    guarded.count = seen + 1;
  }
  return 0;
}

// Takes the lock, begins a transaction, and ends there.
void die_inside(test::Worker& worker, Guarded& guarded) {
  worker.run([&](Task& task) {
    lock(task, guarded.outer);
    Journal journal(task);
    journal.set(guarded.count, 77u);
    return 0;
  });
  worker.die();
}

}  // namespace

TEST_CASE("a lock names its owner, and is free afterwards", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  Guarded& guarded = test.guarded();
  {
    const Locked outer(task, guarded.outer);
    CHECK(guarded.outer.word == task.slot);
    CHECK(task.rec->intents[0] == test.cell.offset_of(&guarded.outer));
    {
      const Locked inner(task, guarded.inner);
      CHECK(guarded.inner.word == task.slot);
      CHECK(task.rec->intents[1] == test.cell.offset_of(&guarded.inner));
    }
    CHECK(guarded.inner.word == 0);
    CHECK(task.rec->intents[1] == 0);
  }
  CHECK(guarded.outer.word == 0);
  CHECK(task.rec->intents[0] == 0);
  CHECK(task.lock_depth == 0);
}

TEST_CASE("threads exclude each other", "[lock]") {
  constexpr int kThreads = 4, kTimes = 20000;
  LockTest test;
  std::deque<test::Worker> workers;
  std::vector<std::future<long>> ends;
  for (int n = 0; n < kThreads; ++n) workers.emplace_back(test.cell);
  for (test::Worker& worker : workers) {
    ends.push_back(
        worker.start([&](Task& task) { return count_up(task, test.guarded(), kTimes); }));
  }
  for (auto& end : ends) end.get();
  CHECK(test.guarded().count == kThreads * kTimes);
  CHECK(test.guarded().outer.word == 0);
}

TEST_CASE("processes exclude each other", "[lock]") {
  constexpr int kProcesses = 3, kTimes = 20000;
  LockTest test;
  std::deque<test::Child> children;
  for (int n = 0; n < kProcesses; ++n) {
    children.emplace_back([&] {
      test::TestTask task(test.cell);
      count_up(task, test.guarded(), kTimes);
      return 0;
    });
  }
  for (test::Child& child : children) CHECK(child.wait() == 0);
  CHECK(test.guarded().count == kProcesses * kTimes);
  CHECK(test.guarded().outer.word == 0);
}

TEST_CASE("who waits for a lock sleeps, and is woken", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  test::Worker worker(test.cell);
  Guarded& guarded = test.guarded();
  std::future<long> end;
  {
    const Locked locked(task, guarded.outer);
    end = worker.start([&](Task& other) { return count_up(other, guarded, 1); });
    // The bit is set just before the sleep.
    test::wait_until(
        [&] { return load_acquire(guarded.outer.word) == (task.slot | kLockWaiters); });
    CHECK(guarded.count == 0);
  }
  end.get();
  CHECK(guarded.count == 1);
  CHECK(guarded.outer.word == 0);
}

TEST_CASE("a dead thread's lock is recovered and its work taken back", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  test::Worker worker(test.cell);
  Guarded& guarded = test.guarded();
  guarded.count = 5;
  die_inside(worker, guarded);
  CHECK(guarded.count == 77);
  CHECK(guarded.outer.word == worker.slot());

  const Locked locked(task, guarded.outer);
  CHECK(guarded.count == 5);
  CHECK(guarded.outer.word == task.slot);
  // To be reaped when no lock is held any more.
  CHECK(task.dead_seen == worker.slot());
  const TaskRec& dead = *test.cell.task(worker.slot());
  CHECK(dead.journal_count == 0);
  for (u64 intent : dead.intents) CHECK(intent == 0);
}

TEST_CASE("who sleeps on a lock recovers it when the owner dies", "[lock]") {
  LockTest test;
  test::Worker owner(test.cell), waiter(test.cell);
  Guarded& guarded = test.guarded();
  guarded.count = 5;
  owner.run([&](Task& task) {
    lock(task, guarded.outer);
    Journal journal(task);
    journal.set(guarded.count, 77u);
    return 0;
  });
  auto end = waiter.start([&](Task& task) { return count_up(task, guarded, 1); });
  test::wait_until(
      [&] { return load_acquire(guarded.outer.word) == (owner.slot() | kLockWaiters); });
  owner.die();
  end.get();
  CHECK(guarded.count == 6);
  CHECK(guarded.outer.word == 0);
}

TEST_CASE("a killed process's locks are recovered, and all its waiters go on", "[lock]") {
  constexpr int kWaiters = 4;
  LockTest test;
  Guarded& guarded = test.guarded();
  test::Child owner([&]() -> int {
    test::TestTask task(test.cell);
    lock(task, guarded.outer);
    lock(task, guarded.inner);
    Journal journal(task);
    journal.set(guarded.other_count, 77u);
    store_release(guarded.count, 1);
    for (;;) pause();
  });
  test::wait_until([&] { return load_acquire(guarded.count) == 1; });

  std::deque<test::Worker> waiters;
  std::vector<std::future<long>> ends;
  for (int n = 0; n < kWaiters; ++n) waiters.emplace_back(test.cell);
  for (test::Worker& waiter : waiters) {
    ends.push_back(waiter.start([&](Task& task) { return count_up(task, guarded, 1); }));
  }
  test::wait_until([&] { return (load_acquire(guarded.outer.word) & kLockWaiters) != 0; });
  owner.kill();
  for (auto& end : ends) end.get();
  CHECK(guarded.count == 1 + kWaiters);
  CHECK(guarded.other_count == 0);
  CHECK(guarded.outer.word == 0);
  CHECK(guarded.inner.word == 0);
}

TEST_CASE("a lock that was only about to be taken stays its owner's", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  test::Worker worker(test.cell);
  Guarded& guarded = test.guarded();
  const Locked locked(task, guarded.outer);
  worker.run([&](Task& other) {
    other.rec->intents[0] = test.cell.offset_of(&guarded.outer);
    return 0;
  });
  worker.die();
  recover_locks(task, worker.slot());
  CHECK(guarded.outer.word == task.slot);
  CHECK(test.cell.task(worker.slot())->intents[0] == 0);
}

TEST_CASE("the living are not recovered", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  test::Worker worker(test.cell);
  Guarded& guarded = test.guarded();
  worker.run([&](Task& other) {
    lock(other, guarded.outer);
    return 0;
  });
  recover_locks(task, worker.slot());
  CHECK(guarded.outer.word == worker.slot());
  CHECK(task.dead_seen == kNoSlot);
  CHECK(recovery_owner(test.cell) == kNoSlot);
  worker.run([&](Task& other) {
    unlock(other, guarded.outer);
    return 0;
  });
  recover_locks(task, kNoSlot);
  recover_locks(task, kTaskSlots + 1);
}

TEST_CASE("a dead recoverer's work is done by the next", "[lock]") {
  LockTest test;
  test::TestTask task(test.cell);
  test::Worker worker(test.cell), recoverer(test.cell);
  Guarded& guarded = test.guarded();
  guarded.count = 5;
  die_inside(worker, guarded);
  recoverer.run([&](Task& other) {
    store_release(test.cell.header().recovery_lock.word, other.slot);
    return 0;
  });
  recoverer.die();
  const Locked locked(task, guarded.outer);
  CHECK(guarded.count == 5);
  CHECK(recovery_owner(test.cell) == kNoSlot);
}

TEST_CASE("scribbled locks are refused", "[lock]") {
  LockTest test;
  Guarded& guarded = test.guarded();
  SECTION("an owner that is no task") {
    guarded.outer.word = kTaskSlots + 1;
    CHECK(test::poisons(test.cell, [&](Task& task) { const Locked locked(task, guarded.outer); }));
  }
  SECTION("a dead task that names a lock outside of the cell, or none") {
    const u64 place = GENERATE(kCellSize, ~0ull - 3, kHeapOffset + 1);
    test::Worker worker(test.cell);
    worker.run([&](Task& other) {
      other.rec->intents[2] = place;
      return 0;
    });
    worker.die();
    CHECK(test::poisons(test.cell, [&](Task& task) { recover_locks(task, worker.slot()); }));
  }
}

}  // namespace ipcell
