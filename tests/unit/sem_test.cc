// semget(2), and semop(2) as far as nobody sleeps.
#include "core/ipc/sem.h"

#include "core/ipc/limits.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/faults.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr int kKey = 4711;

Limits& limits_of(const Cell& cell) { return cell.header().limits; }

}  // namespace

// ---------------------------------------------------------------- semget

TEST_CASE("a set is made, and found by its key", "[sem]") {
  TestCell cell;
  TestTask task(cell);
  CHECK(make_set(task, 3, kKey, 0600) == -ENOENT);
  CHECK(make_set(task, 3, kKey) == 0);
  CHECK(make_set(task, 3, kKey) == 0);
  CHECK(make_set(task, 0, kKey, 0) == 0);
  CHECK(make_set(task, 4, kKey) == -EINVAL);
  CHECK(make_set(task, 3, kKey, IPC_CREAT | IPC_EXCL) == -EEXIST);
  CHECK(make_set(task, 1) == 1);
  CHECK(make_set(task, 1) == 2);
  CHECK(control(task, 1, 0, IPC_RMID) == 0);
  CHECK(make_set(task, 1) == 3);
}

TEST_CASE("a fresh set is all zeros", "[sem]") {
  test_seconds = 2000;
  const int nsems = GENERATE(1, 255, 256, 257, 1000);
  SemTest test(nsems);
  CHECK(test.values() == Numbers(static_cast<std::size_t>(nsems)));
  for (int num : {0, nsems - 1}) {
    for (int command : {GETPID, GETNCNT, GETZCNT})
      CHECK(control(test.task, test.id, num, command) == 0);
  }
  const struct semid_ds info = test.stat();
  CHECK(info.sem_nsems == static_cast<unsigned long>(nsems));
  CHECK(info.sem_otime == 0);
  CHECK(info.sem_ctime == 2000);
  CHECK(info.sem_perm.mode == 0666);
  test.check_end();
  CHECK(take_census(test.cell).total() == 0);
}

TEST_CASE("the number of semaphores is checked before anything else", "[sem]") {
  TestCell cell;
  TestTask task(cell);
  limits_of(cell).semmsl = 10;
  CHECK(make_set(task, -1, kKey, 0) == -EINVAL);
  CHECK(make_set(task, 11, kKey, 0) == -EINVAL);
  CHECK(make_set(task, 10, kKey, 0) == -ENOENT);
  CHECK(make_set(task, 0, kKey) == -EINVAL);
  CHECK(make_set(task, 0) == -EINVAL);
  CHECK(make_set(task, 10, kKey) == 0);
}

TEST_CASE("another user's set is found by whom its mode lets in", "[sem]") {
  TestCell cell;
  TestTask owner(cell), stranger(cell, user(7, 7));
  REQUIRE(make_set(owner, 2, kKey, 0640 | IPC_CREAT) == 0);
  CHECK(make_set(owner, 2, kKey, 0600) == 0);
  CHECK(make_set(stranger, 2, kKey, 0) == 0);
  CHECK(make_set(stranger, 2, kKey, 0004) == -EACCES);
  // EINVAL comes before.
  CHECK(make_set(stranger, 3, kKey, 0004) == -EINVAL);
}

TEST_CASE("semaphores and sets are counted against their limits", "[sem]") {
  TestCell cell;
  TestTask task(cell);
  Registry& registry = sem_registry(cell);
  SECTION("semaphores in all sets") {
    limits_of(cell).semmns = 10;
    CHECK(make_set(task, 11) == -ENOSPC);
    CHECK(make_set(task, 6) == 0);
    CHECK(make_set(task, 5) == -ENOSPC);
    CHECK(make_set(task, 4) == 1);
    CHECK(registry.total == 10);
    CHECK(make_set(task, 1) == -ENOSPC);
    CHECK(control(task, 0, 0, IPC_RMID) == 0);
    CHECK(registry.total == 4);
    CHECK(make_set(task, 6) >= 0);
    CHECK(registry.total == 10);
  }
  SECTION("sets") {
    limits_of(cell).semmni = 2;
    CHECK(make_set(task, 1) == 0);
    CHECK(make_set(task, 1) == 1);
    const u64 before = take_census(cell).total();
    CHECK(make_set(task, 1000) == -ENOSPC);
    CHECK(take_census(cell).total() == before);
    CHECK(task.rec->array == 0);
    CHECK(registry.total == 2);
  }
}

TEST_CASE("without memory no set is made, and nothing is left of it", "[sem]") {
  SemTest test;
  const int nsems = GENERATE(1, 1000, 32000);
  // The blocks that the task has, and the heap's of the used chunks, may do for small ones.
  {
    const FullHeap full(test.cell);
    long result = 0;
    for (int n = 0; n < 3000 && result >= 0; ++n) result = make_set(test.task, nsems);
    CHECK(result == -ENOMEM);
  }
  CHECK(test.task.rec->array == 0);
  CHECK(test.violation() == "");
  CHECK(make_set(test.task, nsems) > 0);
}

// ---------------------------------------------------------------- checks of semop

TEST_CASE("semop checks what it is given, in the kernel's order", "[sem]") {
  const FaultHandler handler;
  SemTest test(3);
  Task& task = test.task;
  const struct sembuf up = op(0, 1);
  const auto call = [&](int id, const struct sembuf* ops, std::size_t count,
                        const struct timespec* time = nullptr) {
    return sys_semtimedop(task, id, ops, count, time);
  };
  const auto* nowhere = reinterpret_cast<const struct sembuf*>(8);
  const auto* no_time = reinterpret_cast<const struct timespec*>(8);
  const struct timespec bad_time = {-1, 0};
  CHECK(call(-1, nowhere, 0, no_time) == -EFAULT);
  CHECK(call(-1, nowhere, 501) == -E2BIG);
  CHECK(call(-1, nowhere, 0) == -EINVAL);
  CHECK(call(-1, nowhere, 1) == -EFAULT);
  CHECK(call(-1, &up, 1, &bad_time) == -EINVAL);
  CHECK(call(test.id, &up, 1, &bad_time) == -EINVAL);
  CHECK(call(test.id + 1, &up, 1) == -EINVAL);
  CHECK(call(test.id + 32768, &up, 1) == -EINVAL);
  CHECK(operate(task, test.id, {op(0, 1), op(3, 1)}) == -EFBIG);
  CHECK(operate(task, test.id, {op(0, 1), op(65535, 1)}) == -EFBIG);
  CHECK(test.values() == Numbers{0, 0, 0});
  // More than the cell's own bound are refused, whatever the limit says.
  limits_of(test.cell).semopm = 0x7fffffff;
  CHECK(call(test.id, nowhere, kSemOpsMax + 1) == -ENOMEM);
}

TEST_CASE("who may read waits for zero, who may write alters", "[sem]") {
  SemTest test;
  TestTask stranger(test.cell, user(7, 7));
  const int readable = make_set(test.task, 1, IPC_PRIVATE, 0644);
  CHECK(operate(stranger, readable, {op(0, 0)}) == 0);
  CHECK(operate(stranger, readable, {op(0, 0), op(0, 1)}) == -EACCES);
  // EFBIG comes before.
  CHECK(operate(stranger, readable, {op(1, 1)}) == -EFBIG);
  const int writable = make_set(test.task, 1, IPC_PRIVATE, 0622);
  CHECK(operate(stranger, writable, {op(0, 0)}) == -EACCES);
  CHECK(operate(stranger, writable, {op(0, 1)}) == 0);
}

// ---------------------------------------------------------------- operations

TEST_CASE("all operations of a call are made, or none", "[sem]") {
  SemTest test(3);
  Task& task = test.task;
  const int undo = GENERATE(0, SEM_UNDO);
  REQUIRE(set_values(task, test.id, {5, 1, SEMVMX}) == 0);
  const Numbers before = {5, 1, SEMVMX};
  CHECK(operate(task, test.id, {op(0, -2, undo), op(1, -2, undo | IPC_NOWAIT)}) == -EAGAIN);
  CHECK(operate(task, test.id, {op(0, 1, undo), op(1, 0, undo | IPC_NOWAIT)}) == -EAGAIN);
  CHECK(operate(task, test.id, {op(0, 1, undo), op(1, -1, undo), op(2, 1, undo)}) == -ERANGE);
  CHECK(test.values() == before);
  CHECK(test.record().otime == 0);
  CHECK(test.record().holds.armed == 0);
  test_seconds = 2222;
  CHECK(operate(task, test.id, {op(0, -2, undo), op(1, -1, undo), op(2, -7, undo)}) == 0);
  CHECK(test.values() == Numbers{3, 0, SEMVMX - 7});
  CHECK(test.record().otime == 2222);
  test.check_end();
}

TEST_CASE("operations on one semaphore see each other", "[sem]") {
  SemTest test;
  Task& task = test.task;
  // The usual lock: wait for 0 and take it.
  CHECK(operate(task, test.id, {op(0, 0), op(0, 1, SEM_UNDO)}) == 0);
  CHECK(operate(task, test.id, {op(0, 0, IPC_NOWAIT), op(0, 1, SEM_UNDO)}) == -EAGAIN);
  CHECK(operate(task, test.id, {op(0, -1, SEM_UNDO), op(0, 0)}) == 0);
  CHECK(operate(task, test.id, {op(0, 2), op(0, -1), op(0, 5), op(0, -6), op(0, 0)}) == 0);
  // Each must be possible when its turn comes.
  CHECK(operate(task, test.id, {op(0, -1, IPC_NOWAIT), op(0, 1)}) == -EAGAIN);
  CHECK(operate(task, test.id, {op(0, SEMVMX), op(0, 1), op(0, -1)}) == -ERANGE);
  CHECK(value_of(task, test.id) == 0);
  CHECK(test.record().holds.armed == 0);
  test.check_end();
}

TEST_CASE("a semaphore names who changed it last", "[sem]") {
  SemTest test(3);
  TestTask other(test.cell);
  other.identity.pid = 99;
  REQUIRE(operate(test.task, test.id, {op(0, 1), op(1, 1)}) == 0);
  REQUIRE(operate(other, test.id, {op(0, 1), op(2, 0)}) == 0);
  CHECK(control(test.task, test.id, 0, GETPID) == 99);
  CHECK(control(test.task, test.id, 1, GETPID) == test.task.identity.pid);
  // To wait for zero is an operation as well.
  CHECK(control(test.task, test.id, 2, GETPID) == 99);
}

TEST_CASE("calls of many operations are made as one", "[sem]") {
  const int count = GENERATE(97, 98, 500, 1024);
  const int undo = GENERATE(0, SEM_UNDO);
  SemTest test(1024);
  Task& task = test.task;
  limits_of(test.cell).semopm = kSemOpsMax;
  REQUIRE(operate(task, test.id, on_all(count, 2, undo)) == 0);
  Numbers expected(1024);
  std::fill_n(expected.begin(), count, u16{2});
  CHECK(test.values() == expected);
  CHECK((test.record().holds.armed != 0) == (undo != 0));

  Ops failing = on_all(count, -1, undo);
  failing.back() = op(count - 1, -3, IPC_NOWAIT);
  CHECK(operate(task, test.id, failing) == -EAGAIN);
  failing.back() = op(count - 1, SEMVMX);
  CHECK(operate(task, test.id, failing) == -ERANGE);
  CHECK(test.values() == expected);
  CHECK(test.violation() == "");

  CHECK(operate(task, test.id, on_all(count, -2, undo)) == 0);
  CHECK(test.values() == Numbers(1024));
  CHECK(test.record().holds.armed == 0);
  test.check_end();
}

TEST_CASE("without memory for a long journal a call is refused", "[sem]") {
  SemTest test(500);
  std::vector<u64> taken;
  {
    const FullHeap full(test.cell);
    while (const u64 block = take_block(test.task, BlockClass::Bytes8256)) taken.push_back(block);
    CHECK(operate(test.task, test.id, on_all(500, 1)) == -ENOMEM);
    CHECK(operate(test.task, test.id, on_all(70, 1)) == 0);
  }
  for (u64 block : taken) give_block(test.task, block);
  CHECK(operate(test.task, test.id, on_all(500, 1)) == 0);
  CHECK(value_of(test.task, test.id, 69) == 2);
  CHECK(value_of(test.task, test.id, 70) == 1);
  test.check_end();
}

TEST_CASE("a poisoned cell refuses all calls", "[sem]") {
  SemTest test;
  test.cell.header().poisoned = 1;
  CHECK(make_set(test.task, 1) == -EIO);
  CHECK(operate(test.task, test.id, {op(0, 1)}) == -EIO);
  CHECK(value_of(test.task, test.id) == -EIO);
  test.cell.header().poisoned = 0;
}

}  // namespace ipcell
