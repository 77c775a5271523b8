// semctl(2).
#include "core/ipc/limits.h"
#include "tests/unit/catch.h"
#include "tests/unit/faults.h"
#include "tests/unit/heap_census.h"
#include "tests/unit/sem_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr int kSemStatAny = 20;

}  // namespace

TEST_CASE("a semaphore is set and read", "[sem_ctl]") {
  SemTest test(2);
  Task& task = test.task;
  test_seconds = 3000;
  CHECK(set_value(task, test.id, 1, 7) == 0);
  CHECK(value_of(task, test.id, 1) == 7);
  CHECK(value_of(task, test.id, 0) == 0);
  CHECK(control(task, test.id, 1, GETPID) == task.identity.pid);
  CHECK(test.stat().sem_ctime == 3000);
  CHECK(test.stat().sem_otime == 0);
  CHECK(set_value(task, test.id, 1, SEMVMX) == 0);
  CHECK(set_value(task, test.id, 1, 0) == 0);
  test.check_end();
}

TEST_CASE("semctl refuses what the kernel refuses", "[sem_ctl]") {
  SemTest test(2);
  Task& task = test.task;
  CHECK(set_value(task, test.id, 0, -1) == -ERANGE);
  CHECK(set_value(task, test.id, 0, SEMVMX + 1) == -ERANGE);
  // The value is looked at before the id.
  CHECK(set_value(task, test.id + 1, 0, -1) == -ERANGE);
  const int num = GENERATE(-1, 2, 1000000);
  for (int command : {GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL})
    CHECK(control(task, test.id, num, command) == -EINVAL);
  const int id = GENERATE(-1, 1, 32768, 0x7fffffff);
  struct semid_ds info = {};
  Numbers values(2);
  for (int command : {GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL, IPC_RMID})
    CHECK(control(task, id, 0, command) == -EINVAL);
  for (int command : {GETALL, SETALL}) CHECK(control(task, id, command, values.data()) == -EINVAL);
  for (int command : {IPC_STAT, IPC_SET}) CHECK(control(task, id, command, &info) == -EINVAL);
  for (int command : {99, -1}) CHECK(control(task, test.id, 0, command) == -EINVAL);
}

TEST_CASE("commands ask for the permission that they need", "[sem_ctl]") {
  SemTest test(2);
  TestTask stranger(test.cell, user(7, 7));
  const int readable = make_set(test.task, 2, IPC_PRIVATE, 0604);
  const int writable = make_set(test.task, 2, IPC_PRIVATE, 0602);
  Numbers values = {1, 2};
  struct semid_ds info = {};
  CHECK(value_of(stranger, readable) == 0);
  CHECK(value_of(stranger, writable) == -EACCES);
  CHECK(set_value(stranger, readable, 0, 1) == -EACCES);
  CHECK(set_value(stranger, writable, 0, 1) == 0);
  CHECK(control(stranger, writable, GETALL, values.data()) == -EACCES);
  CHECK(control(stranger, readable, GETALL, values.data()) == 0);
  CHECK(set_values(stranger, readable, {1, 2}) == -EACCES);
  CHECK(set_values(stranger, writable, {1, 2}) == 0);
  CHECK(control(stranger, writable, IPC_STAT, &info) == -EACCES);
  CHECK(control(stranger, writable, SEM_STAT, &info) == -EACCES);
  CHECK(control(stranger, writable, kSemStatAny, &info) == writable);
  CHECK(control(stranger, writable, IPC_SET, &info) == -EPERM);
  CHECK(control(stranger, writable, 0, IPC_RMID) == -EPERM);
  TestTask administrator(test.cell, superuser());
  CHECK(control(administrator, writable, 0, IPC_RMID) == 0);
}

TEST_CASE("all semaphores are set at once, or none", "[sem_ctl]") {
  const FaultHandler handler;
  SemTest test(3);
  Task& task = test.task;
  REQUIRE(set_values(task, test.id, {1, 2, 3}) == 0);
  CHECK(test.values() == Numbers{1, 2, 3});
  for (int num : {0, 1, 2}) CHECK(control(task, test.id, num, GETPID) == task.identity.pid);
  CHECK(set_values(task, test.id, {4, 5, SEMVMX + 1}) == -ERANGE);
  CHECK(sys_semctl(task, test.id, 0, SETALL, 8) == -EFAULT);
  CHECK(sys_semctl(task, test.id, 0, GETALL, 8) == -EFAULT);
  CHECK(test.values() == Numbers{1, 2, 3});
  CHECK(take_census(test.cell).total() == 2);
  test.check_end();
}

TEST_CASE("SETALL swaps a large set's array under its sleepers and adjustments", "[sem_ctl]") {
  constexpr int kSems = 1000;
  SemTest test(kSems);
  Task& task = test.task;
  Process holder(test.cell,
                 [&](Task& own) { return operate(own, test.id, on_all(400, 1, SEM_UNDO)) == 0; });
  Sleeper& of_first = test.sleeper({op(500, -1)});
  Sleeper& of_last = test.sleeper({op(kSems - 1, -2)});
  Sleeper& for_zero = test.sleeper({op(7, 0)});
  Sleeper& of_several = test.sleeper({op(300, -2), op(999, -1)});
  const u64 array = test.record().sems;
  const u64 blocks = take_census(test.cell).total();
  Numbers values(kSems, 1);
  values[500] = 0;
  CHECK(set_values(task, test.id, values) == 0);
  CHECK(test.record().sems != array);
  CHECK(take_census(test.cell).total() == blocks);
  CHECK(task.rec->array == 0);
  CHECK(test.values() == values);
  CHECK(test.record().waiters == 4);
  // What they are woken for stands in the new array.
  values[7] = 0;
  values[300] = values[999] = values[500] = 3;
  CHECK(set_values(task, test.id, values) == 0);
  for (Sleeper* sleeper : {&of_first, &of_last, &for_zero, &of_several})
    CHECK(sleeper->result() == 0);
  CHECK(value_of(task, test.id, 300) == 1);
  CHECK(value_of(task, test.id, 500) == 2);
  CHECK(value_of(task, test.id, 999) == 0);
  // Nobody has anything to undo any more.
  holder.kill();
  CHECK(value_of(task, test.id, 0) == 1);
  CHECK(value_of(task, test.id, 399) == 1);
  test.check_end();
}

TEST_CASE("waiters are counted by what they wait for", "[sem_ctl]") {
  SemTest test(3);
  Task& task = test.task;
  const auto counts = [&] {
    std::vector<long> all;
    for (int num : {0, 1, 2}) {
      all.push_back(control(task, test.id, num, GETNCNT));
      all.push_back(control(task, test.id, num, GETZCNT));
    }
    return all;
  };
  REQUIRE(set_values(task, test.id, {0, 5, 0}) == 0);
  Sleeper& taker = test.sleeper({op(0, -1)});
  Sleeper& zero = test.sleeper({op(1, 0)});
  CHECK(counts() == std::vector<long>{1, 0, 0, 1, 0, 0});
  // Of several operations the one counts that it is blocked at.
  Sleeper& several = test.sleeper({op(1, -1), op(2, -1), op(0, -1)});
  CHECK(counts() == std::vector<long>{1, 0, 0, 1, 1, 0});
  Sleeper& zeros = test.sleeper({op(2, 0), op(1, 0)});
  CHECK(counts() == std::vector<long>{1, 0, 0, 2, 1, 0});
  Sleeper& mixed = test.sleeper({op(1, 0), op(0, 1)});
  CHECK(counts() == std::vector<long>{1, 0, 0, 3, 1, 0});
  // Those who died in their sleep are not.
  kill_asleep(test.cell, [&](Task& own) { return operate(own, test.id, {op(0, -1)}); });
  CHECK(counts() == std::vector<long>{1, 0, 0, 3, 1, 0});
  // What a sleeper is blocked at is found out when it is tried: not the one that waits for zeros.
  CHECK(operate(task, test.id, {op(2, 1)}) == 0);
  CHECK(counts() == std::vector<long>{2, 0, 0, 3, 0, 0});
  CHECK(control(task, test.id, 0, IPC_RMID) == 0);
  for (Sleeper* sleeper : {&taker, &zero, &several, &zeros, &mixed})
    CHECK(sleeper->result() == -EIDRM);
}

TEST_CASE("a set's data are shown by its id and by its index", "[sem_ctl]") {
  SemTest test(4);
  test_seconds = 3100;
  REQUIRE(operate(test.task, test.id, {op(0, 1)}) == 0);
  struct semid_ds by_index = {};
  CHECK(control(test.task, 0, SEM_STAT, &by_index) == test.id);
  const struct semid_ds by_id = test.stat();
  CHECK(by_id.sem_otime == 3100);
  CHECK(by_id.sem_nsems == 4);
  CHECK(by_id.sem_perm.uid == 1000);
  CHECK(std::memcmp(&by_id, &by_index, sizeof by_id) == 0);
  CHECK(control(test.task, 1, SEM_STAT, &by_index) == -EINVAL);
  CHECK(control(test.task, 32767, kSemStatAny, &by_index) == -EINVAL);
}

TEST_CASE("IPC_SET changes owner and mode", "[sem_ctl]") {
  SemTest test;
  struct semid_ds wanted = test.stat();
  wanted.sem_perm.uid = 7;
  wanted.sem_perm.gid = 8;
  wanted.sem_perm.mode = 0107600;
  wanted.sem_nsems = 99;
  wanted.sem_otime = 99;
  test_seconds = 3200;
  CHECK(control(test.task, test.id, IPC_SET, &wanted) == 0);
  const struct semid_ds info = test.stat();
  CHECK(info.sem_perm.uid == 7);
  CHECK(info.sem_perm.cuid == 1000);
  CHECK(info.sem_perm.gid == 8);
  CHECK(info.sem_perm.mode == 0600);
  CHECK(info.sem_nsems == 1);
  CHECK(info.sem_otime == 0);
  CHECK(info.sem_ctime == 3200);
}

TEST_CASE("limits and totals are told", "[sem_ctl]") {
  SemTest test(5);
  CHECK(make_set(test.task, 300) == 1);
  Limits& limits = test.cell.header().limits;
  struct seminfo info = {};
  CHECK(control(test.task, 0, IPC_INFO, &info) == 1);
  CHECK(info.semmni == 32000);
  CHECK(info.semmsl == 32000);
  CHECK(info.semmns == 1024000000);
  CHECK(info.semopm == 500);
  CHECK(info.semvmx == SEMVMX);
  CHECK(info.semusz == SEMUSZ);
  CHECK(info.semaem == SEMAEM);
  limits.semmni = 7;
  limits.semopm = 8;
  CHECK(control(test.task, 99, SEM_INFO, &info) == 1);
  CHECK(info.semmni == 7);
  CHECK(info.semopm == 8);
  CHECK(info.semusz == 2);
  CHECK(info.semaem == 305);
  CHECK(control(test.task, 1, 0, IPC_RMID) == 0);
  CHECK(control(test.task, 0, SEM_INFO, &info) == 0);
  CHECK(info.semaem == 5);
}

TEST_CASE("a removed set is not there, and its id is not another's", "[sem_ctl]") {
  SemTest test(300);
  const int old = test.id;
  CHECK(control(test.task, old, 0, IPC_RMID) == 0);
  CHECK(take_census(test.cell).total() == 0);
  CHECK(control(test.task, old, 0, IPC_RMID) == -EINVAL);
  CHECK(value_of(test.task, old) == -EINVAL);
  CHECK(operate(test.task, old, {op(0, 1)}) == -EINVAL);
  sem_registry(test.cell).next_id = 32768;
  test.id = make_set(test.task, 2);
  CHECK(test.id != old);
  CHECK(test.id % 32768 == old % 32768);
  CHECK(operate(test.task, old, {op(0, 1)}) == -EINVAL);
  CHECK(test.values() == Numbers{0, 0});
  test.check_end();
}

}  // namespace ipcell
