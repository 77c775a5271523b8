// check_cell() finds what is wrong with POSIX message queues; and calls on a damaged cell fail.
#include "core/ipc/check_mqueue.h"

#include "tests/unit/mqueue_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// Two queues: the first with three priorities, the second empty.
class CheckTest : public MqTest {
 public:
  CheckTest() : first(make("first", 5, 50)), second(make("second", 5, 50)) {
    for (const u32 priority : {5u, 9u, 3u, 9u}) REQUIRE(send(first, "text", priority) == 0);
  }

  MqueueTable& table() const { return mqueue_table(cell); }
  MqRun& root() const { return *cell.at<MqRun>(record(first).runs); }

  // The check finds it when `place` has another value, in words that have `what`.
  template <class T>
  void finds(const char* what, T& place, std::type_identity_t<T> value) {
    REQUIRE(violation() == "");
    const T kept = std::exchange(place, value);
    const std::string told = violation();
    INFO("\"" << told << "\" should tell: " << what);
    CHECK(told.find(what) != std::string::npos);
    place = kept;
    cell.header().poisoned = 0;
    CHECK(violation() == "");
  }

  MqueueDescriptor first, second;
};

}  // namespace

TEST_CASE("a message queue's numbers are checked", "[check_mqueue]") {
  CheckTest test;
  MqueueRec& queue = test.record(test.first);
  test.finds("does not live", queue.live, 0);
  test.finds("was never given its number", queue.serial, 3);
  test.finds("takes 0 messages", queue.max_messages, 0);
  test.finds("takes messages of 0 bytes", queue.max_size, 0);
  test.finds("has 4 messages, and takes 3", queue.max_messages, 3);
  test.finds("a message of 4 bytes", queue.max_size, 3);
  test.finds("has 3 tokens", queue.tokens, 3);
  test.finds("is going, and has a name", queue.is_going, 1);
  test.finds("counts 1 pollers, they are 0", queue.watched, 1);
  test.finds("counts 33554432 pollers", queue.watched, 1u << 25);
}

TEST_CASE("a message queue's messages are checked", "[check_mqueue]") {
  CheckTest test;
  MqueueRec& queue = test.record(test.first);
  MqRun& root = test.root();
  test.finds("says 5 messages of 16 bytes, they are 4 of 16", queue.load, mq_load(5, 16));
  test.finds("has more messages than it says", queue.load, mq_load(3, 16));
  test.finds("says 4 messages of 17 bytes, they are 4 of 16", queue.load, mq_load(4, 17));
  test.finds("has priorities and no message", queue.top_first, 0);
  test.finds("end before the last", queue.top_last, test.first.queue);
  test.finds("a message of priority 9 among those of 8", queue.top_priority, 8);
  test.finds("the highest priority is", queue.top_priority, 32768);
  test.finds("a message of priority 5 among those of 6", root.priority, 6);
  test.finds("a run of priority 9 below 9", root.priority, 9);
  // 3 is the second, and on the left of 5.
  MqRun& lower = *test.cell.at<MqRun>(root.left);
  test.finds("two runs of priority 5", lower.priority, 5);
  test.finds("names", lower.left, test.first.queue);
  test.finds("has two owners", lower.left, queue.runs);
  std::swap(root.left, root.right);
  CHECK(test.violation().find("is in another's place") != std::string::npos);
}

TEST_CASE("a message queue's name is checked", "[check_mqueue]") {
  CheckTest test;
  MqueueRec& queue = test.record(test.first);
  char* name = const_cast<char*>(mqueue_name(test.cell, queue));
  test.finds("does not lead to it", name[0], 'x');
  test.finds("is in a name's bucket that is not its own", queue.name_hash, queue.name_hash + 1);
  test.finds("unlinked is 0, they are 1", queue.is_linked, 0);
  test.finds("is in an inode's bucket that is not its own", queue.inode, queue.inode + 1);
  test.finds("does not lead to it", queue.name, 0);
}

TEST_CASE("the table of message queues is checked", "[check_mqueue]") {
  CheckTest test;
  MqueueRec &newest = test.record(test.second), &oldest = test.record(test.first);
  test.finds("count is 1, they are more", test.table().count, 1);
  test.finds("count is 3, they are 2", test.table().count, 3);
  test.finds("unlinked is 1, they are 0", test.table().unlinked, 1);
  test.finds("the list is broken", oldest.prev, 0);
  test.finds("count is 2, they are 1", newest.next, 0);
  test.finds("the buckets of names lack queues: 1",
             test.table().names[newest.name_hash % kMqueueBuckets], 0);
  test.finds("the buckets of inodes lack queues: 1",
             test.table().inodes[newest.inode % kMqueueBuckets], 0);
  test.finds("holds what is no queue", test.table().names[newest.name_hash % kMqueueBuckets],
             oldest.name);
  test.finds("the lock of the message queues", test.table().lock.word, test.task.slot);
  test.finds("a message queue's lock", newest.lock.word, test.task.slot);
}

TEST_CASE("sleepers at a message queue are checked", "[check_mqueue]") {
  CheckTest test;
  Sleeper one(test.cell, [&](Task& own) { return MqTest::receive(own, test.second).result; });
  Sleeper two(test.cell, [&](Task& own) { return MqTest::receive(own, test.second).result; });
  // A recheck writes into the word and takes the lock: seldom enough to be tried again.
  wait_until([&] { return is_asleep(one.task()) && is_asleep(two.task()); });
  MqueueRec& queue = test.record(test.second);
  WaitNode &first = one.task().rec->wait, &second = two.task().rec->wait;
  test.finds("has a higher priority than the one before it", first.type, second.type + 1);
  test.finds("is in the wrong list", first.kind, WaitKind::Sender);
  test.finds("waits on", first.object, test.first.queue);
  test.finds("has the predecessor", second.prev, 0);
  test.finds("the last waiter is", queue.receivers.last, one.task().slot);
  test.finds("tasks are linked as waiters", queue.receivers, {kNoSlot, kNoSlot});
  for (int n = 0; n < 2; ++n) CHECK(test.send(test.second, "x") == 0);
  CHECK(one.result() == 1);
  CHECK(two.result() == 1);
}

TEST_CASE("registrations are checked", "[check_mqueue]") {
  CheckTest test;
  struct sigevent event = {};
  event.sigev_notify = SIGEV_NONE;
  REQUIRE(sys_mq_notify(test.task, test.second, &event) == 0);
  MqNotify& notify = test.record(test.second).notify;
  test.finds("by an unknown way", notify.kind, static_cast<MqNotifyKind>(4));
  test.finds("does not wait to be told", notify.kind, MqNotifyKind::Thread);
  test.finds("as the witness of who is told", notify.witness, 99);
  test.finds("tells by the signal 65", notify.signal, 65);
  test.finds("an unknown mark of exec(2)", notify.exec, static_cast<MqNotifyExec>(3));
}

TEST_CASE("a poller that is none is found", "[check_mqueue]") {
  CheckTest test;
  REQUIRE(sys_mq_watch(test.task, test.second, MqueueWatch::Call) == 0);
  test.finds("counts 0 pollers, they are 1", test.record(test.second).watched, 0);
  test.finds("counts 1 pollers, they are 0", test.task.rec->polled[0].serial, 99);
  sys_mq_unwatch(test.task);
  CHECK(test.violation() == "");
}

// --------------------------------------------------------------------------- damaged cells

namespace {

// A fresh cell, damaged by `damage`, is given up by `call`, whose result is -EIO.
void gives_eio(const std::function<void(CheckTest&)>& damage,
               const std::function<long(CheckTest&, Task&)>& call) {
  CheckTest test;
  damage(test);
  // (A debug build of the core ends the process instead.)
  const Shared<long> result;
  *result = -EIO;
  CHECK(poisons(test.cell, [&](Task& own) {
    test.give_folder(own);
    *result = call(test, own);
  }));
  CHECK(*result == -EIO);
  if (!test.cell.is_poisoned()) return;
  // Whatever comes then fails at once.
  CHECK(test.send(test.first, "x") == -EIO);
  CHECK(test.next(test.first) == "error 5");
  CHECK(sys_mq_unlink(test.task, "first") == -EIO);
  test.cell.header().poisoned = 0;
}

long send_7(CheckTest& test, Task& own) { return MqTest::send(own, test.first, "x", 7); }
long receive_twice(CheckTest& test, Task& own) {
  for (int n = 0; n < 2; ++n) (void)MqTest::receive(own, test.first);
  return MqTest::receive(own, test.first).result;
}
long unlink_second(CheckTest&, Task& own) { return sys_mq_unlink(own, "second"); }

}  // namespace

TEST_CASE("offsets that lead nowhere are an error", "[check_mqueue]") {
  // Out of the heap; at its end; no multiple of anything.
  for (const u64 nowhere : {u64{8}, kCellSize - 8, kHeapOffset + 3}) {
    gives_eio([&](CheckTest& test) { test.record(test.first).runs = nowhere; }, send_7);
    gives_eio([&](CheckTest& test) { test.record(test.first).top_first = nowhere; }, receive_twice);
    gives_eio(
        [&](CheckTest& test) {
          test.table().names[test.record(test.second).name_hash % kMqueueBuckets] = nowhere;
        },
        unlink_second);
  }
  gives_eio([](CheckTest& test) { test.root().left = test.record(test.first).runs; },
            [](CheckTest& test, Task& own) { return MqTest::send(own, test.first, "x", 0); });
}

TEST_CASE("a descriptor that leads nowhere is an error", "[check_mqueue]") {
  CheckTest test;
  MqueueDescriptor wrong = test.first;
  wrong.queue = test.record(test.first).name;
  CHECK(poisons(test.cell, [&](Task& own) { (void)MqTest::send(own, wrong, "x"); }));
  CHECK(test.send(wrong, "x") == -EIO);
  test.cell.header().poisoned = 0;
}

}  // namespace ipcell
