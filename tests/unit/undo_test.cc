// SEM_UNDO while the processes live: records, adjustments, witnesses. What happens when they die:
// undo_death_test.cc.
#include <unistd.h>

#include "core/ipc/limits.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/undo_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr auto kUndo = SEM_UNDO;

}  // namespace

TEST_CASE("a process has a record for each set, armed while it has something to undo", "[undo]") {
  UndoTest test(2);
  Task& task = test.task;
  CHECK(operate(task, test.id, {op(0, 3), op(1, 3)}) == 0);
  CHECK(test.count_records() == 0);
  CHECK(operate(task, test.id, {op(0, -1, kUndo), op(1, -1)}) == 0);
  UndoRec& undo = test.newest();
  CHECK(test.adjustment(undo, 0) == 1);
  CHECK(test.adjustment(undo, 1) == 0);
  CHECK(undo.hold.amount == 1);
  CHECK(undo.hold.witness == task.slot);
  CHECK(undo.array == 0);
  CHECK(test.count_armed() == 1);
  CHECK(operate(task, test.id, {op(0, -1, kUndo), op(1, 2, kUndo)}) == 0);
  CHECK(test.adjustment(undo, 0) == 2);
  CHECK(test.adjustment(undo, 1) == -2);
  CHECK(undo.hold.amount == 2);
  CHECK(operate(task, test.id, {op(0, 2, kUndo)}) == 0);
  CHECK(undo.hold.amount == 1);
  CHECK(test.count_armed() == 1);
  CHECK(operate(task, test.id, {op(1, -2, kUndo)}) == 0);
  CHECK(test.count_armed() == 0);
  CHECK(test.count_records() == 1);
  CHECK(test.count_processes() == 1);
  // A wait for zero undoes nothing, but makes a record as well.
  const int other = make_set(task, 1);
  CHECK(operate(task, other, {op(0, 0, kUndo)}) == 0);
  CHECK(undo.hold.proc_prev != 0);
  CHECK(test.count_processes() == 1);
  CHECK(control(task, other, 0, IPC_RMID) == 0);
  CHECK(undo.hold.proc_prev == 0);
  test.check_undone(1);
}

TEST_CASE("the threads of a process share its record", "[undo]") {
  UndoTest test;
  TestTask early(test.cell);
  CHECK(operate(test.task, test.id, {op(0, 5, kUndo)}) == 0);
  TestTask late(test.cell);
  CHECK(operate(early, test.id, {op(0, -1, kUndo)}) == 0);
  CHECK(operate(late, test.id, {op(0, -1, kUndo)}) == 0);
  CHECK(test.count_records() == 1);
  CHECK(test.adjustment(test.newest()) == -3);
  test.check_undone(1);
}

TEST_CASE("a large set's adjustments have an array", "[undo]") {
  const int nsems = GENERATE(16, 17, 1100);
  UndoTest test(nsems);
  const u32 last = static_cast<u32>(nsems) - 1;
  CHECK(operate(test.task, test.id, {op(nsems - 1, 5, kUndo)}) == 0);
  UndoRec& undo = test.newest();
  CHECK((undo.array != 0) == (nsems > 16));
  CHECK(test.adjustment(undo, last) == -5);
  CHECK(undo.hold.amount == 1);
  CHECK(operate(test.task, test.id, {op(nsems - 1, -5, kUndo)}) == 0);
  test.check_undone(1);
}

TEST_CASE("an adjustment has its bounds", "[undo]") {
  UndoTest test;
  Task& task = test.task;
  CHECK(operate(task, test.id, {op(0, SEMVMX, kUndo)}) == 0);
  CHECK(operate(task, test.id, {op(0, -SEMVMX)}) == 0);
  CHECK(operate(task, test.id, {op(0, 1, kUndo)}) == 0);
  CHECK(test.adjustment(test.newest()) == -32768);
  CHECK(operate(task, test.id, {op(0, 1, kUndo)}) == -ERANGE);
  CHECK(operate(task, test.id, {op(0, 1), op(0, 1, kUndo)}) == -ERANGE);
  CHECK(value_of(task, test.id) == 1);
  CHECK(test.adjustment(test.newest()) == -32768);
  test.check_undone(1);
}

TEST_CASE("setting a semaphore clears the adjustments of all processes", "[undo]") {
  UndoTest test(2);
  Task& task = test.task;
  CHECK(operate(task, test.id, {op(0, 5, kUndo), op(1, 5, kUndo)}) == 0);
  test.holder({op(0, -1, kUndo), op(1, -2, kUndo)});
  UndoRec& other = test.newest();
  UndoRec& own = *test.undo_at(other.hold.object_next);
  SECTION("one semaphore") {
    CHECK(set_value(task, test.id, 0, 9) == 0);
    for (UndoRec* undo : {&own, &other}) CHECK(test.adjustment(*undo, 0) == 0);
    CHECK(test.adjustment(own, 1) == -5);
    CHECK(test.adjustment(other, 1) == 2);
  }
  SECTION("all semaphores") {
    CHECK(set_values(task, test.id, {9, 9}) == 0);
    for (u32 num : {0u, 1u}) {
      for (UndoRec* undo : {&own, &other}) CHECK(test.adjustment(*undo, num) == 0);
    }
  }
  // Counted as something all the same, until the process comes by.
  CHECK(own.hold.amount == 2);
  CHECK(operate(task, test.id, {op(0, -1, kUndo)}) == 0);
  CHECK(test.adjustment(own, 0) == 1);
  CHECK(own.hold.amount == 2);
  CHECK(operate(task, test.id, {op(0, 1, kUndo)}) == 0);
  CHECK(own.hold.amount == 1);
  CHECK(test.violation() == "");
}

TEST_CASE("an epoch may pass the bits that an adjustment has for it", "[undo]") {
  UndoTest test;
  test.semaphore(0).epoch = (1ull << 48) - 1;
  CHECK(operate(test.task, test.id, {op(0, 5, kUndo)}) == 0);
  CHECK(test.adjustment(test.newest()) == -5);
  CHECK(set_value(test.task, test.id, 0, 7) == 0);
  CHECK(test.adjustment(test.newest()) == 0);
  CHECK(operate(test.task, test.id, {op(0, 2, kUndo)}) == 0);
  CHECK(test.adjustment(test.newest()) == -2);
}

TEST_CASE("a removed set's records are gone, the process stays", "[undo]") {
  UndoTest test(300);
  test.holder(on_all(300, 1, kUndo));
  test.holder({op(0, 1, kUndo)});
  CHECK(operate(test.task, test.id, {op(7, 1, kUndo)}) == 0);
  CHECK(test.count_records() == 3);
  const int old = test.id;
  CHECK(control(test.task, old, 0, IPC_RMID) == 0);
  CHECK(test.violation() == "");
  CHECK(test.count_processes() == 3);
  test.id = make_set(test.task, 1);
  CHECK(operate(test.task, test.id, {op(0, 1, kUndo)}) == 0);
  CHECK(test.count_records() == 1);
  CHECK(test.count_processes() == 3);
  test.check_end();
}

TEST_CASE("without memory for its record a call is refused, and nothing is left", "[undo]") {
  UndoTest test(20);
  {
    const FullHeap full(test.cell);
    CHECK(operate(test.task, test.id, {op(0, 1, kUndo)}) == -ENOMEM);
  }
  CHECK(test.values() == Numbers(20));
  CHECK(test.count_records() == 0);
  CHECK(test.count_processes() == 0);
  CHECK(test.violation() == "");
  CHECK(operate(test.task, test.id, {op(0, 1, kUndo)}) == 0);
  test.check_undone(1);
}

TEST_CASE("a list of records that goes round is found", "[undo]") {
  UndoTest test;
  for (int n = 0; n < 3; ++n) test.holder({op(0, 1, kUndo)});
  u64 last = test.record().holds.all;
  while (test.undo_at(last)->hold.object_next != 0) last = test.undo_at(last)->hold.object_next;
  const u64 target = GENERATE(0, 1, 2);
  CHECK(poisons(test.cell, [&](Task& task) {
    u64 to = test.record().holds.all;
    for (u64 n = 0; n < target; ++n) to = test.undo_at(to)->hold.object_next;
    test.undo_at(last)->hold.object_next = to;
    struct semid_ds info;
    control(task, test.id, IPC_STAT, &info);
  }));
}

// ---------------------------------------------------------------- witnesses

TEST_CASE("when its witness is reaped a record gets another of the process's tasks", "[undo]") {
  UndoTest test;
  Worker worker(test.cell);
  CHECK(worker.run([&](Task& own) { return operate(own, test.id, {op(0, 1, kUndo)}); }) == 0);
  CHECK(test.newest().hold.witness == worker.slot());
  worker.die();
  SECTION("by the reaper") { reap_dead_tasks(test.task); }
  SECTION("by whoever meets the dead one in a set") {
    const Process stranger(test.cell, [&](Task& own) { return value_of(own, test.id) == 1; });
  }
  SECTION("by whoever claims a slot") { const TestTask other(test.cell); }
  CHECK(test.cell.layout().task_states[worker.slot() - 1] == 0);
  CHECK(test.newest().hold.witness == test.task.slot);
  CHECK(test.count_armed() == 1);
  CHECK(value_of(test.task, test.id) == 1);
  test.check_undone(1);
}

TEST_CASE("a process whose tasks have ended is asked for itself", "[undo]") {
  UndoTest test;
  Shared<u32> step;
  Process process(test.cell, [&](Task&) {
    std::thread([&] {
      TestTask own(test.cell);
      if (operate(own, test.id, {op(0, 1, kUndo)}) == 0) *step = 1;
      own.abandon();
    }).join();
    return *step == 1;
  });
  UndoRec& undo = test.newest();
  SECTION("its other task becomes the witness") {
    CHECK(undo.hold.witness != process.slot());
    reap_dead_tasks(test.task);
    CHECK(undo.hold.witness == process.slot());
  }
  CHECK(value_of(test.task, test.id) == 1);
  CHECK(undo.hold.is_spent == 0);
  process.kill();
  CHECK(value_of(test.task, test.id) == 0);
  test.check_undone();
}

TEST_CASE("a task that joins its process is the witness of what has none", "[undo]") {
  UndoTest test;
  CHECK(in_child([&] {
          std::thread([&] {
            TestTask own(test.cell);
            operate(own, test.id, {op(0, 1, kUndo)});
            own.abandon();
          }).join();
          UndoRec& undo = test.newest();
          CHILD_CHECK(is_dead(test.cell, undo.hold.witness));
          // Reaped by another process: there is none to take its place.
          CHILD_CHECK(in_child([&] {
                        TestTask other(test.cell);
                        return 0;
                      }) == 0);
          CHILD_CHECK(undo.hold.witness == kNoSlot);
          CHILD_CHECK(undo.hold.amount == 1);
          TestTask own(test.cell);
          CHILD_CHECK(undo.hold.witness == own.slot);
          CHILD_CHECK(operate(own, test.id, {op(0, -1, kUndo)}) == 0);
          CHILD_CHECK(undo.hold.amount == 0);
          return 0;
        }) == 0);
  CHECK(test.count_records() == 1);
  test.check_undone();
}

}  // namespace ipcell
