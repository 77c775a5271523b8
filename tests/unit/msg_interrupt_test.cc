// Signals in a blocked call. The handler runs where the task sleeps: here the task's own `sleep`
// plays it, so that each moment can be chosen; the last test uses real signals.
#include "core/ipc/msg.h"

#include <csetjmp>

#include <pthread.h>
#include <signal.h>

#include "tests/unit/catch.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/msg_fixture.h"

namespace ipcell {

namespace {

using namespace test;

// What the next sleep is instead.
thread_local std::function<int()> sleep_instead;

int sleep_by_hand(u32& word, u32 expected, i64 timeout_ns) {
  if (!sleep_instead) return futex_wait(word, expected, timeout_ns);
  const auto once = std::move(sleep_instead);
  sleep_instead = nullptr;
  return once();
}

class InterruptTest {
 public:
  InterruptTest() : task(cell), helper(cell), id(make_queue(task)) { task.sleep = sleep_by_hand; }
  ~InterruptTest() { sleep_instead = nullptr; }

  // Every wait ended: the task is fit for the next call, and nothing is left of the last.
  void check_idle() {
    CHECK(task.critical == 0);
    CHECK(task.wait_frame == nullptr);
    CHECK(task.lock_depth == 0);
    CHECK(task.rec->wait.linked == 0);
    CHECK(task.rec->wait.message == 0);
    CHECK(task.rec->in_flight == 0);
    CHECK(take_census(cell).is_sound);
  }
  u64 blocks() const { return take_census(cell).total() - 1; }

  TestCell cell;
  TestTask task;
  Worker helper;
  int id;
};

}  // namespace

TEST_CASE("a handler takes a receiver off its queue", "[msg_interrupt]") {
  InterruptTest test;
  bool is_taken_back = false;
  sleep_instead = [&] {
    // Here, and only here, handlers may run.
    CHECK(test.task.critical == 0);
    is_taken_back = interrupt_wait(test.task);
    // The handler may use the queue itself.
    CHECK(send(test.task, test.id, 1, "x") == 0);
    return -EINTR;
  };
  CHECK(receive(test.task, test.id, 100, 0).result == -EINTR);
  CHECK(is_taken_back);
  test.check_idle();
  CHECK(next_text(test.task, test.id) == "x");
}

TEST_CASE("a handler takes a sender off its queue, with its message", "[msg_interrupt]") {
  InterruptTest test;
  REQUIRE(set_qbytes(test.task, test.id, 0) == 0);
  sleep_instead = [&] {
    CHECK(interrupt_wait(test.task));
    return -EINTR;
  };
  CHECK(send(test.task, test.id, 1, std::string(8000, 'x')) == -EINTR);
  test.check_idle();
  CHECK(test.blocks() == 0);
  REQUIRE(set_qbytes(test.task, test.id, 16384) == 0);
  CHECK(next_text(test.task, test.id) == "error " + std::to_string(ENOMSG));
}

TEST_CASE("an operation that has happened is not taken back", "[msg_interrupt]") {
  InterruptTest test;
  bool is_taken_back = true;
  SECTION("a receiver has its message") {
    sleep_instead = [&] {
      test.helper.run([&](Task& other) { return send(other, test.id, 1, "x"); });
      is_taken_back = interrupt_wait(test.task);
      return -EINTR;
    };
    CHECK(receive(test.task, test.id, 100, 0).text == "x");
  }
  SECTION("a sender's message is in") {
    REQUIRE(set_qbytes(test.task, test.id, 1) == 0);
    REQUIRE(send(test.task, test.id, 1, "f") == 0);
    sleep_instead = [&] {
      test.helper.run([&](Task& other) { return receive(other, test.id, 1, 0).result; });
      is_taken_back = interrupt_wait(test.task);
      return -EINTR;
    };
    CHECK(send(test.task, test.id, 1, "x") == 0);
    CHECK(next_text(test.task, test.id) == "x");
  }
  SECTION("the queue is gone") {
    sleep_instead = [&] {
      test.helper.run([&](Task& other) { return remove(other, test.id); });
      is_taken_back = interrupt_wait(test.task);
      return -EINTR;
    };
    CHECK(receive(test.task, test.id, 100, 0).result == -EIDRM);
    test.id = make_queue(test.task);
  }
  CHECK_FALSE(is_taken_back);
  test.check_idle();
}

TEST_CASE("a signal that woke nobody leaves the task asleep", "[msg_interrupt]") {
  // As SIGCONT, or a handler for which the operation goes on.
  InterruptTest test;
  sleep_instead = [&] {
    test.helper.run([&](Task& other) {
      wait_until([&] { return is_asleep(test.task); });
      return send(other, test.id, 1, "x");
    });
    return -EINTR;
  };
  CHECK(receive(test.task, test.id, 100, 0).text == "x");
  test.check_idle();
}

TEST_CASE("a handler that was put off runs before the sleep", "[msg_interrupt]") {
  InterruptTest test;
  test.task.on_deferred = [](Task& task) {
    task.deferred = 0;
    interrupt_wait(task);
  };
  test.task.deferred = 1;
  sleep_instead = []() -> int { throw std::logic_error("the task sleeps"); };
  CHECK(receive(test.task, test.id, 100, 0).result == -EINTR);
  CHECK(test.task.deferred == 0);
  test.check_idle();
}

TEST_CASE("a handler that was put off by a call that does not block runs at its end",
          "[msg_interrupt]") {
  InterruptTest test;
  static bool was_critical;
  was_critical = true;
  test.task.on_deferred = [](Task& task) {
    task.deferred = 0;
    was_critical = task.critical != 0;
    // There is no wait to be taken back.
    CHECK_FALSE(interrupt_wait(task));
  };
  test.task.deferred = 1;
  CHECK(send(test.task, test.id, 1, "x") == 0);
  CHECK(test.task.deferred == 0);
  CHECK_FALSE(was_critical);
}

TEST_CASE("nobody waits: nothing is interrupted", "[msg_interrupt]") {
  InterruptTest test;
  CHECK_FALSE(interrupt_wait(test.task));
}

TEST_CASE("a handler may leave the call by a jump", "[msg_interrupt]") {
  InterruptTest test;
  static sigjmp_buf way_out;
  sleep_instead = [&]() -> int {
    CHECK(interrupt_wait(test.task));
    siglongjmp(way_out, 1);
  };
  if (sigsetjmp(way_out, 0) == 0) {
    receive(test.task, test.id, 100, 0);
    FAIL("not reached");
  }
  test.check_idle();
  CHECK(test.blocks() == 0);
  CHECK(send(test.task, test.id, 1, "x") == 0);
  CHECK(next_text(test.task, test.id) == "x");
}

TEST_CASE("an interrupted waiter leaves the others in their order", "[msg_interrupt]") {
  InterruptTest test;
  Worker first(test.cell), last(test.cell);
  auto first_end = first.start([&](Task& own) { return receive(own, test.id, 1, 0).result; });
  wait_until([&] { return is_queued(first.task()); });
  std::future<long> last_end;
  sleep_instead = [&] {
    last_end = last.start([&](Task& own) { return receive(own, test.id, 2, 0).result; });
    wait_until([&] { return is_queued(last.task()); });
    interrupt_wait(test.task);
    return -EINTR;
  };
  CHECK(receive(test.task, test.id, 100, 0).result == -EINTR);
  CHECK(send(test.task, test.id, 1, "1") == 0);
  CHECK(send(test.task, test.id, 1, "22") == 0);
  CHECK(first_end.get() == 1);
  CHECK(last_end.get() == 2);
  test.check_idle();
}

TEST_CASE("a timeout has the sleeper look at the queue", "[msg_interrupt]") {
  InterruptTest test;
  REQUIRE(set_qbytes(test.task, test.id, 0) == 0);
  sleep_instead = [&] {
    // As a waker that died after its first transaction.
    MsgQueueRec& queue =
        *test.cell.at<MsgQueueRec>(msg_registry(test.cell).entries[test.id].record);
    queue.qbytes = 100;
    queue.unsettled = 1;
    return -ETIMEDOUT;
  };
  CHECK(send(test.task, test.id, 1, "x") == 0);
  test.check_idle();
  CHECK(next_text(test.task, test.id) == "x");
}

namespace {

thread_local Task* interrupted_task = nullptr;

// The interposer's handler in small.
void on_signal(int) {
  Task& task = *interrupted_task;
  if (task.critical != 0) {
    task.deferred = 1;
  } else {
    interrupt_wait(task);
  }
}

}  // namespace

TEST_CASE("real signals interrupt real sleeps, whenever they come", "[msg_interrupt]") {
  constexpr int kRounds = 300;
  TestCell cell;
  TestTask task(cell);
  const int id = make_queue(task);
  struct sigaction action = {}, old = {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, &old);
  Worker worker(cell);
  const pthread_t thread = [&] {
    pthread_t self;
    worker.run([&](Task& own) {
      interrupted_task = &own;
      own.on_deferred = [](Task& deferring) {
        deferring.deferred = 0;
        interrupt_wait(deferring);
      };
      self = pthread_self();
      return 0;
    });
    return self;
  }();
  int interrupted = 0, received = 0;
  for (int round = 0; round < kRounds; ++round) {
    auto end = worker.start([&](Task& own) { return receive(own, id, 100, 0).result; });
    if (round % 2 == 0) wait_until([&] { return is_asleep(worker.task()); });
    // Signal and message race: one of them ends the call, and nothing is lost.
    pthread_kill(thread, SIGUSR1);
    if (round % 4 >= 2) send(task, id, 1, "x");
    while (end.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      pthread_kill(thread, SIGUSR1);
    }
    const long result = end.get();
    if (result == 1) ++received;
    if (result == -EINTR) ++interrupted;
    if (result == -EINTR && round % 4 >= 2) CHECK(next_text(task, id) == "x");
    REQUIRE(stat_of(task, id).msg_qnum == 0);
  }
  CHECK(interrupted + received == kRounds);
  CHECK(interrupted > 0);
  sigaction(SIGUSR1, &old, nullptr);
  CHECK(take_census(cell).total() == 1);
}

}  // namespace ipcell
