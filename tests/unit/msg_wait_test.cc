// Blocked senders and receivers, and who wakes them. Those that die: msg_dead_test.cc.
#include "core/ipc/msg.h"

#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// A sender or receiver in the middle of its call.
class Blocked {
 public:
  Blocked(Cell& cell, const std::function<long(Task&, Received&)>& call,
          const Cred& cred = user(1000, 1000))
      : sleeper_(
            cell, [this, call](Task& task) { return call(task, received_); }, cred) {}
  bool is_waiting() { return sleeper_.is_waiting(); }
  long result() { return sleeper_.result(); }
  std::string text() {
    return result() < 0 ? "error " + std::to_string(-result()) : received_.text;
  }
  Task& task() { return sleeper_.task(); }

 private:
  Received received_ = {};
  Sleeper sleeper_;
};

class WaitTest {
 public:
  WaitTest() : task(cell), id(make_queue(task)) {}
  ~WaitTest() {
    // Whoever still waits, in a test that failed.
    blocked_.size() != 0 ? static_cast<void>(remove(task, id)) : static_cast<void>(0);
  }

  Blocked& receiver(long type = 0, std::size_t size = 100, int flags = 0,
                    const Cred& cred = user(1000, 1000)) {
    const int queue = id;
    return blocked_.emplace_back(
        cell,
        [=](Task& own, Received& received) {
          received = receive(own, queue, size, type, flags);
          return received.result;
        },
        cred);
  }
  Blocked& sender(const std::string& text, long type = 1, const Cred& cred = user(1000, 1000)) {
    const int queue = id;
    return blocked_.emplace_back(
        cell, [=](Task& own, Received&) { return send(own, queue, type, text); }, cred);
  }
  // Makes room for `bytes` bytes and fills it.
  void fill(std::size_t bytes) {
    REQUIRE(set_qbytes(task, id, bytes) == 0);
    REQUIRE(send(task, id, 9, std::string(bytes, 'f')) == 0);
  }
  void send_now(const std::string& text, long type = 1) {
    REQUIRE(send(task, id, type, text, IPC_NOWAIT) == 0);
  }
  std::string take(long type = 0) { return next_text(task, id, type, MSG_NOERROR); }
  MsgQueueRec& record() { return *cell.at<MsgQueueRec>(msg_registry(cell).entries[id].record); }

  TestCell cell;
  TestTask task;
  int id;

 private:
  std::deque<Blocked> blocked_;
};

}  // namespace

TEST_CASE("a waiting receiver is handed the message", "[msg_wait]") {
  WaitTest test;
  test_seconds = 4000;
  Blocked& receiver = test.receiver();
  test_seconds = 4001;
  test.send_now("hello", 7);
  CHECK(receiver.text() == "hello");
  const struct msqid_ds info = stat_of(test.task, test.id);
  CHECK(info.msg_qnum == 0);
  CHECK(info.msg_stime == 4001);
  CHECK(info.msg_rtime == 4001);
  // The kernel stores the receiving thread here.
  CHECK(info.msg_lrpid == receiver.task().identity.tid);
  CHECK(take_census(test.cell).total() == 1);
}

TEST_CASE("receivers are served in the order of their coming", "[msg_wait]") {
  WaitTest test;
  Blocked& first = test.receiver();
  Blocked& second = test.receiver();
  Blocked& third = test.receiver();
  for (const char* text : {"1", "2", "3"}) test.send_now(text);
  CHECK(first.text() == "1");
  CHECK(second.text() == "2");
  CHECK(third.text() == "3");
}

TEST_CASE("a receiver gets what it asked for", "[msg_wait]") {
  WaitTest test;
  Blocked& of_type = test.receiver(5);
  Blocked& up_to_type = test.receiver(-3);
  Blocked& not_of_type = test.receiver(5, 100, kMsgExceptFlag);
  Blocked& any = test.receiver(0);
  test.send_now("five", 5);
  test.send_now("three", 3);
  test.send_now("four", 4);
  test.send_now("six", 6);
  CHECK(of_type.text() == "five");
  CHECK(up_to_type.text() == "three");
  CHECK(not_of_type.text() == "four");
  CHECK(any.text() == "six");
}

TEST_CASE("a receiver that wants another message goes on waiting", "[msg_wait]") {
  WaitTest test;
  Blocked& receiver = test.receiver(5);
  test.send_now("four", 4);
  CHECK(receiver.is_waiting());
  CHECK(test.take() == "four");
  test.send_now("five", 5);
  CHECK(receiver.text() == "five");
}

TEST_CASE("a receiver with a small buffer is told, the next one gets the message", "[msg_wait]") {
  WaitTest test;
  Blocked& small = test.receiver(0, 2);
  Blocked& other_type = test.receiver(8, 2);
  Blocked& large = test.receiver(0, 3);
  Blocked& small_too = test.receiver(0, 2);
  test.send_now("xyz", 1);
  CHECK(small.result() == -E2BIG);
  CHECK(large.text() == "xyz");
  CHECK(other_type.is_waiting());
  CHECK(small_too.is_waiting());
  CHECK(test.record().unsettled == 0);
  SECTION("if there is no next one the message stays") {
    test.send_now("uvw", 1);
    CHECK(small_too.result() == -E2BIG);
    CHECK(test.take() == "uvw");
  }
  CHECK(remove(test.task, test.id) == 0);
}

TEST_CASE("a receiver with MSG_NOERROR takes what fits", "[msg_wait]") {
  WaitTest test;
  Blocked& receiver = test.receiver(0, 2, MSG_NOERROR);
  test.send_now("xyz");
  CHECK(receiver.text() == "xy");
}

TEST_CASE("a blocked sender's message enters when there is room", "[msg_wait]") {
  WaitTest test;
  test.fill(5);
  test_seconds = 5000;
  Blocked& sender = test.sender("hello");
  test_seconds = 5001;
  CHECK(stat_of(test.task, test.id).msg_qnum == 1);
  CHECK(test.take() == "fffff");
  CHECK(sender.result() == 0);
  const struct msqid_ds info = stat_of(test.task, test.id);
  CHECK(info.msg_qnum == 1);
  CHECK(info.__msg_cbytes == 5);
  CHECK(info.msg_stime == 5001);
  CHECK(test.record().unsettled == 0);
  CHECK(test.take() == "hello");
}

TEST_CASE("senders enter in the order of their coming", "[msg_wait]") {
  WaitTest test;
  test.fill(3);
  std::vector<Blocked*> senders;
  for (const char* text : {"one", "two", "six"}) senders.push_back(&test.sender(text));
  CHECK(test.take() == "fff");
  CHECK(senders[0]->result() == 0);
  CHECK(senders[1]->is_waiting());
  for (const char* text : {"one", "two", "six"}) CHECK(test.take() == text);
  for (Blocked* sender : senders) CHECK(sender->result() == 0);
}

TEST_CASE("a smaller message passes one that does not fit, which goes to the end", "[msg_wait]") {
  // Linux: ipc/msg.c:ss_wakeup()
  WaitTest test;
  REQUIRE(set_qbytes(test.task, test.id, 6) == 0);
  test.send_now("aaa", 1);
  test.send_now("bbb", 2);
  Blocked& large = test.sender("123456");
  Blocked& small = test.sender("123");
  Blocked& late = test.sender("123");
  CHECK(test.take(1) == "aaa");
  CHECK(small.result() == 0);
  CHECK(large.is_waiting());
  CHECK(late.is_waiting());
  // The large one is behind the late one now.
  CHECK(test.take(2) == "bbb");
  CHECK(late.result() == 0);
  CHECK(large.is_waiting());
  CHECK(test.take() == "123");
  CHECK(test.take() == "123");
  CHECK(large.result() == 0);
  CHECK(test.take() == "123456");
}

TEST_CASE("nobody overtakes a blocked sender by coming later", "[msg_wait]") {
  WaitTest test;
  test.fill(3);
  Blocked& sender = test.sender("one");
  CHECK(test.take() == "fff");
  // Its message is in, although it may not have run yet.
  CHECK(send(test.task, test.id, 1, "two", IPC_NOWAIT) == -EAGAIN);
  CHECK(sender.result() == 0);
}

TEST_CASE("an entering message goes straight to a receiver that waits for it", "[msg_wait]") {
  WaitTest test;
  test.fill(3);
  Blocked& receiver = test.receiver(5);
  Blocked& sender = test.sender("one", 5);
  Blocked& other = test.sender("two", 6);
  CHECK(receiver.is_waiting());
  CHECK(test.take() == "fff");
  CHECK(sender.result() == 0);
  CHECK(receiver.text() == "one");
  // Whose room is free for the next.
  CHECK(other.result() == 0);
  CHECK(test.take() == "two");
}

TEST_CASE("more senders than a wake list holds are woken", "[msg_wait]") {
  constexpr int kSenders = 20;
  WaitTest test;
  test.fill(kSenders);
  std::vector<Blocked*> senders;
  for (int n = 0; n < kSenders; ++n)
    senders.push_back(&test.sender(std::string(1, static_cast<char>('a' + n))));
  CHECK(test.take() == std::string(kSenders, 'f'));
  for (Blocked* sender : senders) CHECK(sender->result() == 0);
  for (int n = 0; n < kSenders; ++n)
    CHECK(test.take() == std::string(1, static_cast<char>('a' + n)));
}

TEST_CASE("the removal of a queue wakes all who wait", "[msg_wait]") {
  WaitTest test;
  test.fill(3);
  Blocked& sender = test.sender("one");
  Blocked& receiver = test.receiver(5);
  Blocked& second_receiver = test.receiver(6);
  CHECK(remove(test.task, test.id) == 0);
  CHECK(sender.result() == -EIDRM);
  CHECK(receiver.result() == -EIDRM);
  CHECK(second_receiver.result() == -EIDRM);
  CHECK(take_census(test.cell).total() == 0);
}

TEST_CASE("more room lets senders in", "[msg_wait]") {
  WaitTest test;
  test.fill(3);
  Blocked& sender = test.sender("one");
  CHECK(set_qbytes(test.task, test.id, 6) == 0);
  CHECK(sender.result() == 0);
  CHECK(stat_of(test.task, test.id).msg_qnum == 2);
}

TEST_CASE("IPC_SET has all ask again whether they may", "[msg_wait]") {
  WaitTest test;
  const Cred stranger = user(7, 7);
  test.fill(3);
  SECTION("a receiver who may not any more") {
    Blocked& excluded = test.receiver(5, 100, 0, stranger);
    Blocked& still_allowed = test.receiver(5);
    CHECK(set_mode(test.task, test.id, 0660) == 0);
    CHECK(excluded.result() == -EACCES);
    test.send_now("", 5);
    CHECK(still_allowed.text().empty());
  }
  SECTION("a sender who may not any more") {
    Blocked& excluded = test.sender("one", 1, stranger);
    CHECK(set_mode(test.task, test.id, 0660) == 0);
    // One whose message does not fit is not asked before it does.
    CHECK(excluded.is_waiting());
    CHECK(test.take() == "fff");
    CHECK(excluded.result() == -EACCES);
    CHECK(stat_of(test.task, test.id).msg_qnum == 0);
  }
  SECTION("and one who still may") {
    Blocked& sender = test.sender("one");
    CHECK(set_mode(test.task, test.id, 0600) == 0);
    CHECK(test.take() == "fff");
    CHECK(sender.result() == 0);
    CHECK(test.take() == "one");
  }
}

TEST_CASE("a waiter outlives the calls of others on the queue", "[msg_wait]") {
  WaitTest test;
  Blocked& receiver = test.receiver(5);
  for (int n = 0; n < 100; ++n) {
    test.send_now("x", 4);
    CHECK(test.take(4) == "x");
    CHECK(test.take(3) == "error " + std::to_string(ENOMSG));
  }
  CHECK(receiver.is_waiting());
  CHECK(test.record().receivers.first == receiver.task().slot);
  CHECK(test.record().receivers.last == receiver.task().slot);
  test.send_now("y", 5);
  CHECK(receiver.text() == "y");
}

TEST_CASE("waiters whose cell is scribbled on get an error, and no message", "[msg_wait]") {
  TestCell cell;
  TestTask task(cell);
  const int id = make_queue(task);
  const auto status = in_child([&] {
    // The line on stderr is of no interest here, nor how a debug build of the core dies.
    fclose(stderr);
    Worker worker(cell);
    auto end = worker.start([&](Task& own) { return receive(own, id, 100, 0).result; });
    wait_until([&] { return is_asleep(worker.task()); });
    store_release(worker.task().rec->wait.object, kHeapOffset + 200 * kChunkSize);
    return end.get() == -EIO ? 0 : 1;
  });
  CHECK((status == 0 || status < 0));
  CHECK(cell.is_poisoned());
}

}  // namespace ipcell
