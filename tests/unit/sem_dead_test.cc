// Tasks that die in the middle of a semop, or of a removal: the others go on, and nothing leaks.
#include <unistd.h>

#include "core/ipc/limits.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// A task that dies in the middle of `job`, with the set's lock held.
void die_in(SemTest& test, const std::function<void(Task&, SemSetRec&, Journal&)>& job) {
  Worker worker(test.cell);
  worker.run([&](Task& own) {
    lock(own, test.record().lock);
    Journal journal(own);
    job(own, test.record(), journal);
    return 0;
  });
  worker.die();
}

}  // namespace

TEST_CASE("a killed sleeper gets nothing, and is reaped", "[sem_dead]") {
  SemTest test(2);
  const bool is_complex = GENERATE(false, true);
  const Ops ops = is_complex ? on_all(2, -1) : Ops{op(0, -1)};
  const u32 dead = kill_asleep(test.cell, [&](Task& own) { return operate(own, test.id, ops); });
  CHECK(test.record().waiters == 1);
  Sleeper& living = test.sleeper({op(0, -1)});
  CHECK(operate(test.task, test.id, on_all(2, 1)) == 0);
  CHECK(living.result() == 0);
  CHECK(test.values() == Numbers{0, 1});
  CHECK(test.record().waiters == 0);
  CHECK(test.record().merged == 0);
  CHECK((test.cell.layout().task_states[dead - 1] == 0 || living.task().slot == dead));
  test.check_end();
}

TEST_CASE("a set with dead sleepers can be removed", "[sem_dead]") {
  SemTest test(2);
  for (const Ops& ops : {Ops{op(0, -1)}, Ops{op(1, -1), op(0, 0)}, on_all(2, -1)})
    kill_asleep(test.cell, [&](Task& own) { return operate(own, test.id, ops); });
  CHECK(control(test.task, test.id, 0, IPC_RMID) == 0);
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("operations that were not committed did not happen", "[sem_dead]") {
  SemTest test(200);
  die_in(test, [](Task& own, SemSetRec& set, Journal& journal) {
    const Ops given = on_all(200, 3);
    std::vector<SemOp> ops;
    for (const struct sembuf& one : given) ops.push_back({one.sem_num, one.sem_op, 0, 0});
    u32 blocking = 0;
    CHECK(reserve_journal(own, 400) == 0);
    CHECK(perform(own, journal, set, {ops.data(), 200, 1, nullptr}, &blocking) == 0);
  });
  CHECK(test.raw_value(199) == 3);
  CHECK(test.values() == Numbers(200));
  test.check_end();
}

TEST_CASE("a sleeper finds that its operations were made, though nobody told it", "[sem_dead]") {
  SemTest test(2);
  Sleeper& sleeper = test.sleeper(on_all(2, -1));
  die_in(test, [&](Task& own, SemSetRec& set, Journal& journal) {
    CHECK(unlink_semop(own, journal, set, sleeper.task().slot));
    journal.set(sleeper.task().rec->wait.result, 0);
    journal.set(set.unsettled, 1u);
    journal.commit();
  });
  CHECK(sleeper.result() == 0);
  // Whoever locked the set after it took the lists apart again.
  CHECK(test.record().merged == 0);
  test.check_end();
}

TEST_CASE("the pass that a dead task owed is made by the next", "[sem_dead]") {
  SemTest test(2);
  Sleeper& simple = test.sleeper({op(0, -1)});
  Sleeper& several = test.sleeper(on_all(2, -1));
  die_in(test, [](Task& own, SemSetRec& set, Journal& journal) {
    for (u32 num : {0u, 1u})
      journal.set(semaphore_at(*own.cell, set, num)->state, pack_state(2, 1));
    journal.set(set.unsettled, 1u);
    journal.commit();
  });
  SECTION("by a reader") { CHECK(value_of(test.task, test.id) == 0); }
  SECTION("by a sleeper that looks again") {}
  CHECK(simple.result() == 0);
  CHECK(several.result() == 0);
  CHECK(test.values() == Numbers{0, 1});
  CHECK(test.record().unsettled == 0);
  test.check_end();
}

TEST_CASE("a merge that was broken off is taken back", "[sem_dead]") {
  SemTest test(3);
  Sleeper& first = test.sleeper({op(2, -1)});
  Sleeper& second = test.sleeper({op(2, -2)});
  Sleeper& other = test.sleeper({op(0, -1)});
  // As merge_queues() leaves it between two semaphores.
  die_in(test, [&](Task& own, SemSetRec& set, Journal& journal) {
    WaitList& list = semaphore_at(*own.cell, set, 2)->alter;
    journal.set(set.unsettled, 1u);
    journal.set(set.alter.first, list.first);
    journal.set(set.alter.last, list.last);
    journal.set(list.first, kNoSlot);
    journal.set(list.last, kNoSlot);
    journal.commit();
  });
  CHECK(value_of(test.task, test.id) == 0);
  CHECK(test.record().alter.first == kNoSlot);
  CHECK(test.semaphore(2).alter.first == first.task().slot);
  CHECK(test.semaphore(2).alter.last == second.task().slot);
  CHECK(test.record().unsettled == 0);
  CHECK(operate(test.task, test.id, {op(2, 3), op(0, 1)}) == 0);
  for (Sleeper* sleeper : {&first, &second, &other}) CHECK(sleeper->result() == 0);
  test.check_end();
}

TEST_CASE("an unmerging that was broken off is finished", "[sem_dead]") {
  SemTest test(3);
  Sleeper& first = test.sleeper({op(2, -1)});
  Sleeper& second = test.sleeper({op(0, -1)});
  // The last who waited for several has gone; two simple ones stand in the set's list.
  die_in(test, [&](Task& own, SemSetRec& set, Journal& journal) {
    journal.set(set.unsettled, 1u);
    journal.set(set.merged, 1u);
    for (u32 num : {2u, 0u}) {
      WaitList& list = semaphore_at(*own.cell, set, num)->alter;
      const u32 slot = list.first;
      CHECK(unlink_waiter(journal, *own.cell, list, slot));
      link_waiter(journal, *own.cell, set.alter, slot);
    }
    journal.commit();
  });
  CHECK(value_of(test.task, test.id) == 0);
  CHECK(test.record().merged == 0);
  CHECK(test.semaphore(2).alter.first == first.task().slot);
  CHECK(test.semaphore(0).alter.first == second.task().slot);
  CHECK(operate(test.task, test.id, {op(2, 1), op(0, 1)}) == 0);
  for (Sleeper* sleeper : {&first, &second}) CHECK(sleeper->result() == 0);
  test.check_end();
}

TEST_CASE("a set whose remover died goes all the same", "[sem_dead]") {
  SemTest test(300);
  std::vector<Sleeper*> sleepers = {&test.sleeper({op(299, -1)}),
                                    &test.sleeper({op(0, -1, SEM_UNDO), op(7, 0)})};
  Process holder(test.cell,
                 [&](Task& own) { return operate(own, test.id, {op(1, 1, SEM_UNDO)}) == 0; });
  Worker remover(test.cell);
  remover.run([&](Task& own) {
    Registry& registry = sem_registry(test.cell);
    const u64 offset = test.offset();
    const Locked locked(own, registry.lock);
    LockedSet set(own, offset);
    Journal journal(own);
    remove_id_locked(journal, test.cell, registry, set->perm);
    journal.set(registry.total, 0);
    journal.set(set->live, 0u);
    journal.set(own.rec->destroying, offset);
    journal.commit();
    return 0;
  });
  remover.die();
  // The sleepers find out by themselves.
  for (Sleeper* sleeper : sleepers) CHECK(sleeper->result() == -EIDRM);
  CHECK(operate(test.task, test.id, {op(0, 1)}) == -EINVAL);
  reap_dead_tasks(test.task);
  CHECK(test.cell.layout().task_states[remover.slot() - 1] == 0);
  CHECK(test.violation() == "");
  holder.kill();
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
}

TEST_CASE("a dead task leaves no array, journal or operations", "[sem_dead]") {
  SemTest test;
  Worker worker(test.cell);
  worker.run([&](Task& own) {
    // An array in the making, a long journal, and a sleeper's operations that it did not free.
    if (const int error = build_array(own, 3 * kLeafBytes)) return error;
    if (const int error = reserve_journal(own, 1000)) return error;
    return take_block(own, BlockClass::Bytes512, own.rec->wait.sem.ops);
  });
  CHECK(take_census(test.cell).total() == 2 + 4 + 2 + 1);
  worker.die();
  reap_dead_tasks(test.task);
  CHECK(take_census(test.cell).total() == 2);
  test.check_end();
}

}  // namespace ipcell
