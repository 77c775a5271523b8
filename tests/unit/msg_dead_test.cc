// Tasks that die in the middle: a sleeper, a waker before it has published, a remover. In each case
// the others go on, and nothing leaks.
#include "core/ipc/msg.h"

#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class DeadTest {
 public:
  DeadTest() : task(cell), id(make_queue(task)) {}

  u64 offset() const { return msg_registry(cell).entries[id % 32768].record; }
  MsgQueueRec& record() { return *cell.at<MsgQueueRec>(offset()); }

  u32 kill_in(const std::function<long(Task&)>& call) { return kill_asleep(cell, call); }
  bool is_free(u32 slot) const { return cell.layout().task_states[slot - 1] == 0; }

  // Reaps all, removes the queue, and looks for what is left.
  void check_leaks() {
    reap_dead_tasks(task);
    CHECK(remove(task, id) == 0);
    CHECK_FALSE(cell.is_poisoned());
    const HeapCensus census = take_census(cell);
    CHECK(census.is_sound);
    CHECK(census.total() == 0);
    CHECK(cell.header().reap_lock.word == 0);
    CHECK((cell.header().recovery_lock.word & 0x7fff) == 0);
  }

  TestCell cell;
  TestTask task;
  int id;
};

}  // namespace

TEST_CASE("a killed receiver takes no message", "[msg_dead]") {
  DeadTest test;
  const u32 dead = test.kill_in([&](Task& own) { return receive(own, test.id, 100, 0).result; });
  CHECK(test.record().receivers.first == dead);
  CHECK(send(test.task, test.id, 1, "x") == 0);
  // Who met it reaped it.
  CHECK(test.is_free(dead));
  CHECK(test.record().receivers.first == kNoSlot);
  CHECK(test.record().receivers.last == kNoSlot);
  CHECK(stat_of(test.task, test.id).msg_qnum == 1);
  CHECK(next_text(test.task, test.id) == "x");
  test.check_leaks();
}

TEST_CASE("the message that a killed receiver would have had is the next one's", "[msg_dead]") {
  DeadTest test;
  const u32 dead = test.kill_in([&](Task& own) { return receive(own, test.id, 100, 0).result; });
  Worker worker(test.cell);
  auto end = worker.start([&](Task& own) { return receive(own, test.id, 100, 0).result; });
  wait_until([&] { return is_queued(worker.task()); });
  CHECK(send(test.task, test.id, 1, "xyz") == 0);
  CHECK(end.get() == 3);
  CHECK((test.is_free(dead) || dead == worker.slot()));
  test.check_leaks();
}

TEST_CASE("a killed sender's message never enters", "[msg_dead]") {
  DeadTest test;
  REQUIRE(set_qbytes(test.task, test.id, 3) == 0);
  REQUIRE(send(test.task, test.id, 1, "fff") == 0);
  const u32 dead = test.kill_in([&](Task& own) { return send(own, test.id, 1, "old"); });
  Worker worker(test.cell);
  auto end = worker.start([&](Task& own) { return send(own, test.id, 1, "new"); });
  wait_until([&] { return is_queued(worker.task()); });
  CHECK(next_text(test.task, test.id) == "fff");
  CHECK(end.get() == 0);
  CHECK(next_text(test.task, test.id) == "new");
  CHECK(next_text(test.task, test.id) == "error " + std::to_string(ENOMSG));
  CHECK((test.is_free(dead) || dead == worker.slot()));
  test.check_leaks();
}

TEST_CASE("a queue with dead waiters can be removed", "[msg_dead]") {
  DeadTest test;
  REQUIRE(set_qbytes(test.task, test.id, 3) == 0);
  REQUIRE(send(test.task, test.id, 1, "fff") == 0);
  test.kill_in([&](Task& own) { return send(own, test.id, 1, "old"); });
  test.kill_in([&](Task& own) { return receive(own, test.id, 100, 5).result; });
  test.check_leaks();
  reap_dead_tasks(test.task);
  CHECK(take_census(test.cell).total() == 0);
}

TEST_CASE("a sleeper finds a result that was committed but not published", "[msg_dead]") {
  DeadTest test;
  Worker receiver(test.cell), waker(test.cell);
  auto end = receiver.start([&](Task& own) { return receive(own, test.id, 100, 0).result; });
  wait_until([&] { return is_asleep(receiver.task()); });
  waker.run([&](Task& own) {
    if (const int error = build_into(own, own.rec->in_flight, "xyz")) return error;
    LockedQueue queue(own, test.offset());
    TaskRec& sleeper = *test.cell.task(receiver.slot());
    Journal journal(own);
    unlink_waiter(journal, test.cell, queue->receivers, receiver.slot());
    journal.set(sleeper.wait.result, 0);
    journal.set(sleeper.wait.message, static_cast<u64>(own.rec->in_flight));
    journal.set(own.rec->in_flight, 0);
    journal.commit();
    return 0;
  });
  waker.die();
  CHECK(end.get() == 3);
  test.check_leaks();
}

TEST_CASE("a hand-off that was not committed did not happen", "[msg_dead]") {
  DeadTest test;
  Worker receiver(test.cell), waker(test.cell);
  auto end = receiver.start([&](Task& own) { return receive(own, test.id, 100, 0).result; });
  wait_until([&] { return is_asleep(receiver.task()); });
  waker.run([&](Task& own) {
    if (const int error = build_into(own, own.rec->in_flight, "lost")) return error;
    lock(own, test.record().lock);
    TaskRec& sleeper = *test.cell.task(receiver.slot());
    Journal journal(own);
    unlink_waiter(journal, test.cell, test.record().receivers, receiver.slot());
    journal.set(sleeper.wait.result, 0);
    journal.set(sleeper.wait.message, static_cast<u64>(own.rec->in_flight));
    journal.set(own.rec->in_flight, 0);
    return 0;
  });
  waker.die();
  CHECK(send(test.task, test.id, 1, "xyz") == 0);
  CHECK(end.get() == 3);
  CHECK(stat_of(test.task, test.id).msg_qnum == 0);
  test.check_leaks();
}

TEST_CASE("what a waker left undone the next one to lock the queue does", "[msg_dead]") {
  DeadTest test;
  Worker first(test.cell), second(test.cell);
  SECTION("senders whose messages fit") {
    REQUIRE(set_qbytes(test.task, test.id, 3) == 0);
    REQUIRE(send(test.task, test.id, 1, "fff") == 0);
    auto end = first.start([&](Task& own) { return send(own, test.id, 1, "abc"); });
    wait_until([&] { return is_queued(first.task()); });
    {
      // As a receiver that died between its two transactions.
      const Locked locked(test.task, test.record().lock);
      test.record().qbytes = 6;
      test.record().unsettled = 1;
    }
    CHECK(stat_of(test.task, test.id).msg_qnum == 2);
    CHECK(end.get() == 0);
  }
  SECTION("receivers for whom there is a message, or one too large") {
    auto small = first.start([&](Task& own) { return receive(own, test.id, 2, 5).result; });
    auto large = second.start([&](Task& own) { return receive(own, test.id, 3, 6).result; });
    wait_until([&] { return is_asleep(first.task()) && is_asleep(second.task()); });
    REQUIRE(send(test.task, test.id, 4, "xyz") == 0);
    {
      const Locked locked(test.task, test.record().lock);
      test.cell.task(first.slot())->wait.type = 4;
      test.record().unsettled = 1;
    }
    // The sleepers look by themselves, too.
    CHECK(small.get() == -E2BIG);
    {
      const Locked locked(test.task, test.record().lock);
      test.cell.task(second.slot())->wait.type = 4;
      test.record().unsettled = 1;
    }
    // It tries again by its own arguments, and waits for type 6 as before.
    wait_until([&] { return load_acquire(test.record().unsettled) == 0; });
    REQUIRE(send(test.task, test.id, 6, "uvw") == 0);
    CHECK(large.get() == 3);
  }
  CHECK(test.record().unsettled == 0);
  test.check_leaks();
}

TEST_CASE("a removal whose remover died is finished", "[msg_dead]") {
  DeadTest test;
  REQUIRE(set_qbytes(test.task, test.id, 3) == 0);
  REQUIRE(send(test.task, test.id, 1, "fff") == 0);
  Worker receiver(test.cell), sender(test.cell), remover(test.cell);
  auto received = receiver.start([&](Task& own) { return receive(own, test.id, 100, 5).result; });
  auto sent = sender.start([&](Task& own) { return send(own, test.id, 1, "abc"); });
  wait_until([&] { return is_queued(receiver.task()) && is_queued(sender.task()); });
  remover.run([&](Task& own) {
    Registry& registry = msg_registry(test.cell);
    const u64 offset = test.offset();
    const Locked locked(own, registry.lock);
    LockedQueue queue(own, offset);
    Journal journal(own);
    remove_id_locked(journal, test.cell, registry, queue->perm);
    journal.set(queue->live, 0u);
    journal.set(own.rec->destroying, offset);
    journal.commit();
    return 0;
  });
  remover.die();
  // The sleepers find out by themselves.
  CHECK(received.get() == -EIDRM);
  CHECK(sent.get() == -EIDRM);
  CHECK(send(test.task, test.id, 1, "x") == -EINVAL);
  reap_dead_tasks(test.task);
  CHECK(test.is_free(remover.slot()));
  const HeapCensus census = take_census(test.cell);
  CHECK(census.is_sound);
  CHECK(census.total() == 0);
}

TEST_CASE("a dead task's blocks are freed, wherever they are named", "[msg_dead]") {
  DeadTest test;
  test.cell.header().limits.msgmax = 100000;
  Worker worker(test.cell);
  worker.run([&](Task& own) {
    TaskRec& rec = *own.rec;
    // A message that was handed over, one in the making, and two of a queue that was removed.
    int error = 0;
    for (u64* owner : {&rec.wait.message, &rec.garbage, &rec.in_flight}) {
      if (error == 0) error = build_into(own, *owner, std::string(20000, 'x'));
    }
    u64& second = test.cell.at<MsgBlock>(rec.garbage)->next;
    return error != 0 ? error : build_into(own, second, "abc");
  });
  CHECK(take_census(test.cell).total() == 1 + 3 + 3 + 3 + 1);
  worker.die();
  test.check_leaks();
}

}  // namespace ipcell
