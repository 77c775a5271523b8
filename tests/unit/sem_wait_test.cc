// Sleepers in semop(2), and who completes them. Those that die: sem_dead_test.cc.
#include "core/ipc/limits.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

using namespace test;

TEST_CASE("a sleeper's operation is made by the one who makes it possible", "[sem_wait]") {
  SemTest test;
  test_seconds = 4000;
  SECTION("by semop") {
    Sleeper& sleeper = test.sleeper({op(0, -2)});
    CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
    CHECK(sleeper.is_waiting());
    test_seconds = 4001;
    CHECK(operate(test.task, test.id, {op(0, 2)}) == 0);
    // It is done, although the sleeper may not have run yet.
    CHECK(test.raw_value() == 1);
    CHECK(test.semaphore(0).get().pid == sleeper.task().identity.pid);
    CHECK(test.stat().sem_otime == 4001);
    CHECK(sleeper.result() == 0);
  }
  SECTION("by SETVAL") {
    Sleeper& sleeper = test.sleeper({op(0, -2)});
    CHECK(set_value(test.task, test.id, 0, 3) == 0);
    CHECK(test.raw_value() == 1);
    CHECK(sleeper.result() == 0);
  }
  SECTION("by SETALL") {
    Sleeper& sleeper = test.sleeper({op(0, -2)});
    CHECK(set_values(test.task, test.id, {2}) == 0);
    CHECK(test.raw_value() == 0);
    CHECK(sleeper.result() == 0);
  }
  SECTION("who waits for zero") {
    REQUIRE(set_value(test.task, test.id, 0, 2) == 0);
    Sleeper& sleeper = test.sleeper({op(0, 0)});
    CHECK(operate(test.task, test.id, {op(0, -1)}) == 0);
    CHECK(sleeper.is_waiting());
    CHECK(operate(test.task, test.id, {op(0, -1)}) == 0);
    CHECK(sleeper.result() == 0);
  }
  CHECK(test.record().waiters == 0);
  CHECK(test.record().unsettled == 0);
  test.check_end();
}

TEST_CASE("sleepers are served in the order of their coming, smaller ones first if they fit",
          "[sem_wait]") {
  SemTest test;
  Sleeper& large = test.sleeper({op(0, -3)});
  Sleeper& first = test.sleeper({op(0, -1)});
  Sleeper& second = test.sleeper({op(0, -1)});
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(first.result() == 0);
  CHECK(second.is_waiting());
  CHECK(operate(test.task, test.id, {op(0, 3)}) == 0);
  CHECK(large.result() == 0);
  CHECK(second.is_waiting());
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(second.result() == 0);
  CHECK(test.raw_value() == 0);
  test.check_end();
}

TEST_CASE("those who wait for zero go before those who would change it", "[sem_wait]") {
  SemTest test(2);
  REQUIRE(set_values(test.task, test.id, {1, 0}) == 0);
  // Earlier, but it alters.
  Sleeper& altering = test.sleeper({op(0, 0), op(0, 1)});
  Sleeper& zero = test.sleeper({op(0, 0)});
  Sleeper& zeros = test.sleeper({op(0, 0), op(1, 0)});
  CHECK(operate(test.task, test.id, {op(0, -1)}) == 0);
  CHECK(zero.result() == 0);
  CHECK(zeros.result() == 0);
  CHECK(altering.result() == 0);
  CHECK(test.values() == Numbers{1, 0});
  test.check_end();
}

TEST_CASE("one completed sleeper makes the next possible", "[sem_wait]") {
  constexpr int kSleepers = 20;
  SemTest test(kSleepers + 1);
  std::vector<Sleeper*> sleepers;
  // The last comes first.
  for (int n = kSleepers; n-- > 0;) sleepers.push_back(&test.sleeper({op(n, -1), op(n + 1, 1)}));
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  for (Sleeper* sleeper : sleepers) CHECK(sleeper->result() == 0);
  CHECK(test.raw_value(kSleepers) == 1);
  CHECK(test.record().merged == 0);
  test.check_end();
}

TEST_CASE("while one waits for several semaphores there is one order for all", "[sem_wait]") {
  SemTest test(3);
  const SemSetRec& set = test.record();
  Sleeper& early = test.sleeper({op(0, -1)});
  CHECK(test.semaphore(0).alter.first == early.task().slot);
  Sleeper& several = test.sleeper({op(0, -1), op(1, -1)});
  Sleeper& late = test.sleeper({op(2, -1)});
  // Who need not wait changes nothing about it.
  CHECK(operate(test.task, test.id, {op(2, 0), op(0, 0), op(1, 0)}) == 0);
  CHECK(set.merged == 1);
  CHECK(set.complex_count == 1);
  CHECK(set.waiters == 3);
  CHECK(set.alter.first == early.task().slot);
  CHECK(set.alter.last == late.task().slot);
  for (u32 num : {0u, 2u}) CHECK(test.semaphore(num).alter.first == kNoSlot);
  SECTION("until it has gone on") {
    CHECK(operate(test.task, test.id, {op(0, 2), op(1, 1)}) == 0);
    CHECK(several.result() == 0);
    CHECK(early.result() == 0);
    CHECK(set.waiters == 1);
  }
  SECTION("until it has gone on in its turn") {
    CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
    CHECK(early.result() == 0);
    CHECK(several.is_waiting());
    CHECK(operate(test.task, test.id, {op(0, 1), op(1, 1)}) == 0);
    CHECK(several.result() == 0);
  }
  CHECK(set.merged == 0);
  CHECK(set.complex_count == 0);
  CHECK(set.alter.first == kNoSlot);
  CHECK(test.semaphore(2).alter.first == late.task().slot);
  CHECK(operate(test.task, test.id, {op(2, 1)}) == 0);
  CHECK(late.result() == 0);
  test.check_end();
}

TEST_CASE("a sleeper is told the error that its operations now have", "[sem_wait]") {
  SemTest test(2);
  REQUIRE(set_values(test.task, test.id, {0, 1}) == 0);
  Sleeper& too_large = test.sleeper({op(0, -1), op(1, SEMVMX)});
  Sleeper& impatient = test.sleeper({op(0, -1), op(1, 0, IPC_NOWAIT)});
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(too_large.result() == -ERANGE);
  CHECK(impatient.result() == -EAGAIN);
  CHECK(test.values() == Numbers{1, 1});
  CHECK(test.record().merged == 0);
  test.check_end();
}

TEST_CASE("a sleeper may want very many operations", "[sem_wait]") {
  const int count = GENERATE(97, 500, 1024);
  SemTest test(1024);
  test.cell.header().limits.semopm = kSemOpsMax;
  const u64 blocks = take_census(test.cell).total();
  {
    Sleeper& sleeper = test.sleeper(on_all(count, -1, SEM_UNDO));
    CHECK(operate(test.task, test.id, on_all(count - 1, 1)) == 0);
    CHECK(sleeper.is_waiting());
    CHECK(test.record().holds.armed == 0);
    CHECK(operate(test.task, test.id, {op(count - 1, 1)}) == 0);
    CHECK(sleeper.result() == 0);
  }
  CHECK(test.values() == Numbers(1024));
  CHECK(take_census(test.cell).total() > blocks);
  test.check_end();
}

TEST_CASE("a sleeper that nobody has the memory to complete tries by itself", "[sem_wait]") {
  SemTest test(100);
  Sleeper& sleeper = test.sleeper(on_all(100, -1));
  std::vector<u64> taken;
  {
    const FullHeap full(test.cell);
    while (const u64 block = take_block(test.task, BlockClass::Bytes8256)) taken.push_back(block);
    for (int num = 0; num < 100; ++num) REQUIRE(operate(test.task, test.id, {op(num, 1)}) == 0);
    CHECK(sleeper.result() == 0);
  }
  CHECK(test.task.rec->journal_blocks[0] == 0);
  CHECK(test.values() == Numbers(100));
  for (u64 block : taken) give_block(test.task, block);
  test.check_end();
}

TEST_CASE("a removed set wakes all its sleepers", "[sem_wait]") {
  SemTest test(2);
  REQUIRE(set_values(test.task, test.id, {0, 1}) == 0);
  std::vector<Sleeper*> sleepers = {
      &test.sleeper({op(0, -1)}), &test.sleeper({op(1, 0)}), &test.sleeper({op(0, -1), op(1, -1)}),
      &test.sleeper({op(0, 0), op(1, 0)}), &test.sleeper({op(1, -2, SEM_UNDO)})};
  CHECK(control(test.task, test.id, 0, IPC_RMID) == 0);
  for (Sleeper* sleeper : sleepers) CHECK(sleeper->result() == -EIDRM);
  CHECK(test.violation() == "");
}

}  // namespace ipcell
