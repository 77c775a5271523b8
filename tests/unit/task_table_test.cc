#include "core/cell/task_table.h"

#include <cerrno>
#include <memory>
#include <set>
#include <vector>

#include <signal.h>
#include <unistd.h>

#include "core/ipc/msg.h"
#include "core/syscalls.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/fixture.h"
#include "tests/unit/heap_census.h"

namespace ipcell {

namespace {

constexpr u32 kCommonSlots = kTaskSlots - kReservedSlots;

// Makes slots in use whose owner is dead, or alive, without the threads for it.
void fill_slots(Cell& cell, u32 first, u32 end, bool are_dead) {
  REQUIRE(cell.ensure(&cell.layout().task_states[first], (end - first) * sizeof(u64)) == 0);
  REQUIRE(cell.ensure(&cell.layout().tasks[first], (end - first) * sizeof(TaskPage)) == 0);
  for (u32 index = first; index < end; ++index) {
    cell.layout().tasks[index].rec.token.word = are_dead ? kFutexOwnerDied : 1u;
    cell.layout().task_states[index] = kTaskLive;
  }
  if (cell.header().slots_high < end) cell.header().slots_high = end;
}

u32 count_slots(const Cell& cell, const std::function<bool(u32 slot)>& condition) {
  u32 count = 0;
  for (u32 slot = 1; slot <= cell.header().slots_high; ++slot) {
    if (condition(slot)) ++count;
  }
  return count;
}
bool is_free(const Cell& cell, u32 slot) { return cell.layout().task_states[slot - 1] == 0; }
u32 count_free(const Cell& cell) {
  return count_slots(cell, [&](u32 slot) { return is_free(cell, slot); });
}
u32 count_living(const Cell& cell) {
  return count_slots(cell, [&](u32 slot) { return !is_free(cell, slot) && !is_dead(cell, slot); });
}

// A state as claim_task() leaves it in a slot that it is setting up.
u64 claiming_by(const TaskIdentity& identity) {
  return kTaskClaiming | (identity.pid_namespace & 0x3fffffff) << 32 |
         static_cast<u32>(identity.tid);
}

i32 tid_of_a_dead_thread() {
  i32 tid = 0;
  std::thread([&] { tid = gettid(); }).join();
  test::wait_until([&] { return kill(tid, 0) != 0; });
  return tid;
}

std::set<u32> reaped_slots;
void note_reaped(Task& reaper, TaskRec& dead, u32 dead_slot) {
  CHECK(reaper.cell->header().reap_lock.word == reaper.slot);
  CHECK(reaper.cell->task(dead_slot) == &dead);
  CHECK(reaped_slots.insert(dead_slot).second);
}

}  // namespace

TEST_CASE("a task's slot says whose it is", "[task_table]") {
  test::TestCell cell;
  test::TestTask task(cell);
  CHECK(task.slot == 1);
  CHECK(task.rec == cell.task(1));
  CHECK(task.rec->pid == getpid());
  CHECK(task.rec->tid == gettid());
  CHECK(task.rec->start_time == task.identity.start_time);
  CHECK(task.rec->pid_namespace == task.identity.pid_namespace);
  CHECK(cell.layout().task_states[0] == kTaskLive);
  CHECK(cell.header().slots_high == 1);
  CHECK_FALSE(is_token_dead(task.rec->token));
}

TEST_CASE("each task has a slot of its own, the lowest that is free", "[task_table]") {
  test::TestCell cell;
  std::deque<test::Worker> workers;
  for (u32 n = 1; n <= 8; ++n) CHECK(workers.emplace_back(cell).slot() == n);
  CHECK(cell.header().slots_high == 8);
  workers.clear();
  CHECK(count_living(cell) == 0);
  test::TestTask task(cell);
  reap_dead_tasks(task);
  CHECK(test::TestTask(cell).slot == 1);
}

TEST_CASE("a slot that was given back is clean, and free after a reaper came by", "[task_table]") {
  test::TestCell cell;
  {
    test::TestTask task(cell);
    test::give_block(task, test::take_block(task, BlockClass::Bytes64));
    CHECK(test::count_kept(cell, *task.rec, BlockClass::Bytes64) > 0);
  }
  const TaskRec& rec = *cell.task(1);
  for (u64 cache : rec.cache) CHECK(cache == 0);
  CHECK(rec.in_flight == 0);
  CHECK(is_dead(cell, 1));
  CHECK(test::take_census(cell).total() == 0);
  test::TestTask other(cell);
  reap_dead_tasks(other);
  CHECK(is_free(cell, 1));
}

TEST_CASE("the dead are reaped once each, with the reap lock held", "[task_table]") {
  test::TestCell cell;
  test::TestTask task(cell);
  std::deque<test::Worker> workers;
  for (int n = 0; n < 4; ++n) workers.emplace_back(cell);
  workers[0].die();
  workers[2].die();

  reaped_slots.clear();
  reap_task(task, workers[1].slot(), note_reaped);
  reap_task(task, task.slot, note_reaped);
  CHECK(reaped_slots.empty());
  reap_task(task, workers[2].slot(), note_reaped);
  CHECK(reaped_slots == std::set<u32>{workers[2].slot()});
  reap_all(task, note_reaped);
  CHECK(reaped_slots == std::set<u32>{workers[0].slot(), workers[2].slot()});
  reap_all(task, note_reaped);
  CHECK(count_living(cell) == 3);
  CHECK(count_free(cell) == 2);
  CHECK(cell.header().reap_lock.word == 0);
}

TEST_CASE("an operation's end reaps the dead task that it met", "[task_table]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  worker.die();
  reaped_slots.clear();
  reap_seen(task, note_reaped);
  CHECK(reaped_slots.empty());
  task.dead_seen = worker.slot();
  reap_seen(task, note_reaped);
  CHECK(reaped_slots == std::set<u32>{worker.slot()});
  CHECK(task.dead_seen == kNoSlot);
}

TEST_CASE("a reaped task's blocks go back to the heap, its unfinished work is undone",
          "[task_table]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  worker.run([](Task& other) {
    // A message in the making and, not committed, one more block.
    if (test::take_block(other, BlockClass::Bytes256, other.rec->in_flight) != 0) return 1;
    other.cell->at<MsgBlock>(other.rec->in_flight)->more = 0;
    Journal journal(other);
    journal.set(other.rec->cache[0], 4711);
    journal.set(other.rec->wait.message, 4711);
    return 0;
  });
  worker.die();
  reap_dead_tasks(task);
  const TaskRec& dead = *cell.task(worker.slot());
  CHECK(dead.in_flight == 0);
  CHECK(dead.wait.message == 0);
  CHECK(dead.journal_count == 0);
  CHECK_FALSE(cell.is_poisoned());
  const test::HeapCensus census = test::take_census(cell);
  CHECK(census.is_sound);
  CHECK(census.total() == 0);
}

TEST_CASE("a poisoned cell is left as it is", "[task_table]") {
  test::TestCell cell;
  test::TestTask task(cell);
  test::Worker worker(cell);
  worker.die();
  cell.header().poisoned = 1;
  reaped_slots.clear();
  reap_all(task, note_reaped);
  CHECK(reaped_slots.empty());
  Task late;
  late.cell = &cell;
  late.identity = test::identity_of_this_thread();
  CHECK(attach_task(late) == -EIO);
}

TEST_CASE("the table stays short however many threads come and go", "[task_table]") {
  constexpr int kThreads = 3000;
  test::TestCell cell;
  test::TestTask task(cell);
  for (int n = 0; n < kThreads; ++n) {
    std::thread([&] { test::TestTask(cell).abandon(); }).join();
  }
  CHECK(cell.header().slots_high < 64);
  reap_dead_tasks(task);
  CHECK(count_living(cell) == 1);
}

TEST_CASE("threads that come and go at once all find a slot", "[task_table]") {
  constexpr int kParents = 4, kThreads = 250;
  test::TestCell cell;
  test::TestTask task(cell);
  std::vector<std::thread> parents;
  for (int parent = 0; parent < kParents; ++parent) {
    parents.emplace_back([&] {
      for (int n = 0; n < kThreads; ++n) {
        std::thread([&] {
          test::TestTask short_lived(cell);
          test::give_block(short_lived, test::take_block(short_lived, BlockClass::Bytes64));
          short_lived.abandon();
        }).join();
      }
    });
  }
  for (std::thread& parent : parents) parent.join();
  reap_dead_tasks(task);
  CHECK(count_free(cell) == cell.header().slots_high - 1);
  const test::HeapCensus census = test::take_census(cell);
  CHECK(census.is_sound);
  CHECK(census.total() == 0);
}

TEST_CASE("when the dead have all the slots they are reaped", "[task_table]") {
  test::TestCell cell;
  fill_slots(cell, 0, kCommonSlots, true);
  const test::TestTask task(cell);
  CHECK(task.slot <= kCommonSlots);
  CHECK(count_living(cell) == 1);
}

TEST_CASE("when the living have all the slots there is none", "[task_table]") {
  test::TestCell cell;
  fill_slots(cell, 0, kCommonSlots, false);
  Task task;
  task.cell = &cell;
  task.identity = test::identity_of_this_thread();
  CHECK(attach_task(task) == -ENOMEM);
  CHECK(task.slot == kNoSlot);
  // The reserved slots are for reaping, and are not kept however often it is tried.
  for (u32 n = 0; n < 2 * kReservedSlots; ++n) CHECK(attach_task(task) == -ENOMEM);
  CHECK(count_living(cell) == kCommonSlots);
  SECTION("until one of them dies") {
    cell.task(kCommonSlots / 2)->token.word = kFutexOwnerDied;
    const test::TestTask late(cell);
    CHECK(late.slot == kCommonSlots / 2);
  }
  SECTION("even if reapers died in the reserved slots") {
    fill_slots(cell, kCommonSlots, kTaskSlots - 1, true);
    cell.task(7)->token.word = kFutexOwnerDied;
    const test::TestTask late(cell);
    CHECK(late.slot == 7);
    CHECK(count_living(cell) == kCommonSlots);
  }
}

TEST_CASE("a slot whose claimer died in it is taken over", "[task_table]") {
  test::TestCell cell;
  TaskIdentity dead = test::identity_of_this_thread();
  dead.tid = tid_of_a_dead_thread();
  u64& state = cell.layout().task_states[0];
  SECTION("of this pid namespace") {
    state = claiming_by(dead);
    CHECK(test::TestTask(cell).slot == 1);
  }
  SECTION("of another pid namespace: nobody can tell") {
    dead.pid_namespace ^= 1;
    state = claiming_by(dead);
    CHECK(test::TestTask(cell).slot == 2);
  }
  SECTION("alive") {
    state = claiming_by(test::identity_of_this_thread());
    std::thread([&] { CHECK(test::TestTask(cell).slot == 2); }).join();
  }
}

}  // namespace ipcell
