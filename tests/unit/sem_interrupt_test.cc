// A sleep in semop(2) that ends by itself: its time is over, or a signal came. The handler runs
// when the task has begun to wait: it is one that was put off until then.
#include <limits>

#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr struct timespec kSoon = {0, 2'000'000};

// What the handler does that comes when the task has begun to wait.
thread_local std::function<void(Task&)> handler;

void come_now(Task& task, std::function<void(Task&)> body) {
  handler = std::move(body);
  task.on_deferred = [](Task& deferring) {
    deferring.deferred = 0;
    handler(deferring);
  };
  task.deferred = 1;
}

}  // namespace

TEST_CASE("a timeout that is none, or nothing, or no time", "[sem_interrupt]") {
  SemTest test;
  const Ops taking = {op(0, -1)};
  CHECK(operate_within(test.task, test.id, taking, {0, 0}) == -EAGAIN);
  CHECK(operate_within(test.task, test.id, taking, {0, 1}) == -EAGAIN);
  CHECK(operate_within(test.task, test.id, taking, kSoon) == -EAGAIN);
  CHECK(operate_within(test.task, test.id, {op(0, -1), op(0, 1)}, kSoon) == -EAGAIN);
  CHECK(operate_within(test.task, test.id, {op(0, 0)}, {0, 0}) == 0);
  for (const struct timespec& bad :
       {timespec{-1, 0}, timespec{0, -1}, timespec{0, 1'000'000'000}}) {
    CHECK(operate_within(test.task, test.id, {op(0, 1)}, bad) == -EINVAL);
  }
  CHECK(test.record().waiters == 0);
  CHECK(test.record().merged == 0);
  CHECK(test.task.rec->wait.sem.ops == 0);
  CHECK(test.raw_value() == 0);
  test.check_end();
}

TEST_CASE("a timeout may be longer than any time", "[sem_interrupt]") {
  SemTest test;
  // In nanoseconds the second is at the end of what 64 bits hold, and the third beyond.
  constexpr auto kEnd = static_cast<time_t>(0x7fffffffffffffff / 1'000'000'000);
  const time_t seconds =
      GENERATE_COPY(as<time_t>(), 0x7fffffff, kEnd, std::numeric_limits<time_t>::max());
  const struct timespec time = {seconds, 999'999'999};
  Sleeper& sleeper = test.sleeper_within({op(0, -1)}, time);
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(sleeper.result() == 0);
  test.check_end();
}

TEST_CASE("who expires leaves the others in their order", "[sem_interrupt]") {
  SemTest test(2);
  Sleeper& first = test.sleeper({op(0, -1)});
  CHECK(operate_within(test.task, test.id, {op(0, -1), op(1, -1)}, kSoon) == -EAGAIN);
  CHECK(operate_within(test.task, test.id, {op(0, -1)}, kSoon) == -EAGAIN);
  CHECK(test.record().merged == 0);
  CHECK(test.record().unsettled == 0);
  Sleeper& last = test.sleeper({op(0, -1)});
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(first.result() == 0);
  CHECK(last.is_waiting());
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(last.result() == 0);
  test.check_end();
}

TEST_CASE("a handler takes the operation back", "[sem_interrupt]") {
  SemTest test(2);
  const Ops ops = GENERATE(Ops{op(0, -1)}, Ops{op(0, -1, SEM_UNDO), op(1, 0)}, on_all(2, -1));
  bool is_taken_back = false;
  come_now(test.task, [&](Task& task) {
    CHECK(task.critical == 0);
    is_taken_back = interrupt_wait(task);
    // The handler may use the set itself.
    CHECK(operate(task, test.id, {op(0, 1)}) == 0);
  });
  CHECK(operate(test.task, test.id, ops) == -EINTR);
  CHECK(is_taken_back);
  CHECK(test.values() == Numbers{1, 0});
  CHECK(test.record().waiters == 0);
  CHECK(test.task.rec->wait.sem.ops == 0);
  CHECK(test.task.critical == 0);
  test.check_end();
}

TEST_CASE("a handler that comes too late leaves the result alone", "[sem_interrupt]") {
  SemTest test(2);
  Worker helper(test.cell);
  long expected = 0;
  std::function<long(Task&)> job;
  SECTION("the operation was made") {
    job = [&](Task& other) { return operate(other, test.id, {op(0, 1), op(1, 1)}); };
  }
  SECTION("the set was removed") {
    expected = -EIDRM;
    job = [&](Task& other) { return control(other, test.id, 0, IPC_RMID); };
  }
  come_now(test.task, [&](Task& task) {
    CHECK(helper.run(job) == 0);
    CHECK_FALSE(interrupt_wait(task));
    // Nor can it use the node that its own call still needs.
    CHECK(operate(task, test.id, {op(0, 1)}) == -EINTR);
  });
  CHECK(operate(test.task, test.id, on_all(2, -1)) == expected);
  CHECK(test.task.rec->wait.sem.ops == 0);
  if (expected != 0) test.id = make_set(test.task, 2);
  CHECK(test.values() == Numbers{0, 0});
  test.check_end();
}

TEST_CASE("what was made in time does not expire", "[sem_interrupt]") {
  SemTest test(2);
  Worker helper(test.cell);
  come_now(test.task, [&](Task& task) {
    // As by a waker that died before it published the result.
    helper.run([&](Task& other) {
      LockedSet set(other, test.offset());
      Journal journal(other);
      CHECK(unlink_semop(other, journal, *set, task.slot));
      journal.set(task.rec->wait.result, 0);
      journal.commit();
      return 0;
    });
    usleep(3000);
  });
  CHECK(operate_within(test.task, test.id, {op(0, -1)}, kSoon) == 0);
  CHECK(test.record().waiters == 0);
  test.check_end();
}

}  // namespace ipcell
