#include "core/cell/wait_queue.h"

#include <cerrno>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"

namespace ipcell {

namespace {

constexpr u32 kSlots = 40;

// A list in the heap's memory, and slots that no thread has.
class ListTest {
 public:
  ListTest() : task(cell), journal(task) {
    REQUIRE(cell.populate(kHeapOffset, sizeof(WaitList)) == 0);
    REQUIRE(cell.ensure(&cell.layout().tasks[0], kSlots * sizeof(TaskPage)) == 0);
  }
  WaitList& list() { return *reinterpret_cast<WaitList*>(cell.scratch()); }
  void link(std::initializer_list<u32> slots) {
    for (u32 slot : slots) {
      link_waiter(journal, cell, list(), slot);
      journal.commit();
    }
  }
  bool unlink(u32 slot) {
    const bool is_done = unlink_waiter(journal, cell, list(), slot);
    journal.commit();
    return is_done;
  }
  // Forwards, and backwards where that differs.
  std::vector<u32> slots() {
    std::vector<u32> forwards, backwards;
    for (u32 slot = list().first; slot != kNoSlot; slot = cell.task(slot)->wait.next)
      forwards.push_back(slot);
    for (u32 slot = list().last; slot != kNoSlot; slot = cell.task(slot)->wait.prev)
      backwards.push_back(slot);
    CHECK(std::vector<u32>(backwards.rbegin(), backwards.rend()) == forwards);
    return forwards;
  }

  test::TestCell cell;
  test::TestTask task;
  Journal journal;
};

using Slots = std::vector<u32>;

int sleeps, rechecks;
void count_recheck(Task& task, WaitPlan&) {
  ++rechecks;
  store_release(task.rec->wait.word, kWaitDone);
}
void no_recheck(Task&, WaitPlan&) { ++rechecks; }

WaitEnd sleep(Task& task) {
  WaitPlan plan;
  plan.recheck = no_recheck;
  return sleep_until_done(task, plan);
}

// Sleeps with `critical` as the facade's calls have it.
bool wait_for_done(Task& task, void (*recheck)(Task&, WaitPlan&)) {
  const Critical critical(task);
  WaitPlan plan;
  plan.recheck = recheck;
  begin_wait(task);
  return sleep_until_done(task, plan) == WaitEnd::Done;
}

}  // namespace

TEST_CASE("waiters stand in the order of their coming", "[wait_queue]") {
  ListTest test;
  CHECK(test.slots().empty());
  test.link({7, 3, 9, 5});
  CHECK(test.slots() == Slots{7, 3, 9, 5});
  CHECK(test.cell.task(9)->wait.linked == 1);
  CHECK(test.unlink(3));
  CHECK(test.slots() == Slots{7, 9, 5});
  CHECK(test.cell.task(3)->wait.linked == 0);
  CHECK(test.unlink(7));
  CHECK(test.unlink(5));
  CHECK(test.slots() == Slots{9});
  CHECK(test.unlink(9));
  CHECK(test.slots().empty());
  CHECK(test.list().last == kNoSlot);
  test.link({3});
  CHECK(test.slots() == Slots{3});
}

TEST_CASE("a change of the list that was not committed is taken back", "[wait_queue]") {
  ListTest test;
  test.link({7, 3, 9});
  for (u32 slot : {7, 3, 9}) {
    CHECK(unlink_waiter(test.journal, test.cell, test.list(), slot));
    CHECK(roll_back_journal(test.cell, *test.task.rec) == 0);
    CHECK(test.slots() == Slots{7, 3, 9});
    CHECK(test.cell.task(slot)->wait.linked == 1);
  }
  link_waiter(test.journal, test.cell, test.list(), 5);
  CHECK(roll_back_journal(test.cell, *test.task.rec) == 0);
  CHECK(test.slots() == Slots{7, 3, 9});
  CHECK(test.cell.task(5)->wait.linked == 0);
}

TEST_CASE("a node with neighbours that cannot be is not taken out", "[wait_queue]") {
  ListTest test;
  test.link({7, 3, 9});
  SECTION("next") { test.cell.task(3)->wait.next = kTaskSlots + 1; }
  SECTION("previous") { test.cell.task(3)->wait.prev = ~0u; }
  CHECK_FALSE(test.unlink(3));
  CHECK(test.task.rec->journal_count == 0);
}

TEST_CASE("all who are published are done, those that sleep are woken", "[wait_queue]") {
  ListTest test;
  {
    WakeList wakes(test.cell);
    // More than the list holds at once.
    for (u32 slot = 2; slot <= kSlots; ++slot) {
      test.cell.task(slot)->wait.word = slot % 2 == 0 ? kWaitSleeping : kWaitSpinning;
      wakes.publish(slot);
    }
  }
  for (u32 slot = 2; slot <= kSlots; ++slot) CHECK(test.cell.task(slot)->wait.word == kWaitDone);
}

TEST_CASE("a published result ends the sleep", "[wait_queue]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  for (int round = 0; round < 200; ++round) {
    store_release(worker.task().rec->wait.word, kWaitIdle);
    auto end = worker.start([](Task& own) -> long { return wait_for_done(own, no_recheck); });
    // In some rounds it spins still, in others it is asleep.
    const u32 awaited = round % 2 == 0 ? kWaitSleeping : kWaitSpinning;
    test::wait_until([&] { return load_acquire(worker.task().rec->wait.word) >= awaited; });
    {
      WakeList wakes(cell);
      wakes.publish(worker.slot());
    }
    REQUIRE(end.get() == 1);
  }
}

TEST_CASE("a result that is there already needs no sleep", "[wait_queue]") {
  test::TestCell cell;
  test::TestTask task(cell);
  task.sleep = [](u32&, u32, i64) {
    ++sleeps;
    return 0;
  };
  sleeps = 0;
  for (u32 pause : {0, 1000}) {
    const Critical critical(task);
    task.spin_pause = pause;
    begin_wait(task);
    store_release(task.rec->wait.word, kWaitDone);
    CHECK(sleep(task) == WaitEnd::Done);
    CHECK(task.critical == 1);
    CHECK(task.wait_frame == nullptr);
  }
  CHECK(sleeps == 0);
}

TEST_CASE("a sleep that ends without a result has the task look again, unless a signal ended it",
          "[wait_queue]") {
  test::TestCell cell;
  test::TestTask task(cell);
  task.sleep = [](u32&, u32 expected, i64 timeout_ns) {
    CHECK(expected == kWaitSleeping);
    CHECK(timeout_ns == kRecheckNs);
    const int results[] = {-EINTR, -EINTR, -EINTR, 0};
    return results[sleeps++];
  };
  sleeps = rechecks = 0;
  CHECK(wait_for_done(task, count_recheck));
  CHECK(sleeps == 4);
  CHECK(rechecks == 1);
}

TEST_CASE("what never pays off is done ever more rarely", "[wait_queue]") {
  test::TestCell cell;
  test::TestTask task(cell);
  task.sleep = [](u32& word, u32, i64) {
    ++sleeps;
    store_release(word, kWaitDone);
    return 0;
  };
  sleeps = 0;
  for (int n = 0; n < 100; ++n) CHECK(wait_for_done(task, no_recheck));
  CHECK(sleeps == 100);
  CHECK(task.spin_pause > 10);
  // A result that comes in time brings it back.
  for (u32 n = 0; n < 1000 && task.spin_pause != 0; ++n) {
    const Critical critical(task);
    begin_wait(task);
    store_release(task.rec->wait.word, kWaitDone);
    CHECK(sleep(task) == WaitEnd::Done);
  }
  CHECK(task.spin_pause == 0);
}

TEST_CASE("futex: differing words, timeouts, two words", "[wait_queue]") {
  u32 word = 1, other = 2;
  CHECK(futex_wait(word, 0, 1'000'000'000) == -EAGAIN);
  CHECK(futex_wait(word, 1, 1'000'000) == -ETIMEDOUT);
  const auto wait_two = [&](u32 expected, u32 other_expected, i64 timeout_ns) {
    const FutexWaitv words[] = {futex_waitv_entry(word, expected),
                                futex_waitv_entry(other, other_expected)};
    return futex_wait_many(words, 2, timeout_ns);
  };
  if (wait_two(1, 2, 1) == -ENOSYS) return;
  CHECK(wait_two(0, 2, 1'000'000'000) == -EAGAIN);
  CHECK(wait_two(1, 0, 1'000'000'000) == -EAGAIN);
  CHECK(wait_two(1, 2, 1'000'000) == -ETIMEDOUT);
  futex_wake(word, 1);
}

}  // namespace ipcell
