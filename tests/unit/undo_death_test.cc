// SEM_UNDO when processes die: whoever looks at a set next does what they had to undo, once.
#include <unistd.h>

#include "core/ipc/limits.h"
#include "tests/unit/catch.h"
#include "tests/unit/undo_fixture.h"

namespace ipcell {

namespace {

using namespace test;

constexpr auto kUndo = SEM_UNDO;
constexpr int kKey = 4711;

struct Reader {
  const char* name;
  std::function<void(Task&, int id)> read;
};

const std::vector<Reader>& readers() {
  static const auto by_command = [](int command) {
    return [command](Task& task, int id) { control(task, id, 1, command); };
  };
  static struct semid_ds info;
  static const auto by_data = [](int command) {
    return [command](Task& task, int id) { control(task, id, command, &info); };
  };
  static const std::vector<Reader> all = {
      {"GETVAL", by_command(GETVAL)},
      {"GETPID", by_command(GETPID)},
      {"GETNCNT", by_command(GETNCNT)},
      {"GETZCNT", by_command(GETZCNT)},
      {"SETVAL", by_command(SETVAL)},
      {"GETALL", [](Task& task, int id) { control(task, id, GETALL, Numbers(2).data()); }},
      {"IPC_STAT", by_data(IPC_STAT)},
      {"SEM_STAT", by_data(SEM_STAT)},
      {"IPC_SET", by_data(IPC_SET)},
      {"semop", [](Task& task, int id) { operate(task, id, {op(0, 0, IPC_NOWAIT)}); }},
      {"semget", [](Task& task, int) { make_set(task, 0, kKey, 0); }},
      {"/proc/sysvipc/sem",
       [](Task& task, int) {
         u32 position = 0;
         char text[2000];
         sys_proc_sem(task, &position, text, sizeof text);
       }},
      {"attaching", [](Task& task, int) { const TestTask other(*task.cell); }}};
  return all;
}

}  // namespace

TEST_CASE("whoever looks at a set buries its dead, and does it once", "[undo_death]") {
  const Reader& reader = readers()[GENERATE(range(std::size_t{0}, readers().size()))];
  INFO(reader.name);
  UndoTest test(2, kKey);
  test_seconds = 5000;
  REQUIRE(set_value(test.task, test.id, 0, 9) == 0);
  std::vector<Process*> dead;
  for (int n = 1; n <= 3; ++n) dead.push_back(&test.holder({op(0, -n, kUndo)}));
  CHECK(test.raw_value() == 3);
  for (Process* process : dead) process->kill();
  test_seconds = 5001;
  reader.read(test.task, test.id);
  CHECK(test.raw_value() == 9);
  CHECK(test.count_armed() == 0);
  CHECK(test.record().otime == 5001);
  test_seconds = 5002;
  reader.read(test.task, test.id);
  CHECK(test.raw_value() == 9);
  CHECK(test.record().otime == 5001);
  reap_dead_tasks(test.task);
  CHECK(test.count_records() == 0);
  test.check_undone();
}

TEST_CASE("what is undone has its bounds, and a pid", "[undo_death]") {
  UndoTest test(2);
  REQUIRE(set_value(test.task, test.id, 1, 5) == 0);
  Process& holder = test.holder({op(0, 3, kUndo), op(1, -5, kUndo)});
  REQUIRE(operate(test.task, test.id, {op(0, -2), op(1, SEMVMX - 1)}) == 0);
  const pid_t pid = holder.pid();
  holder.kill();
  CHECK(test.values() == Numbers{0, SEMVMX});
  for (int num : {0, 1}) CHECK(control(test.task, test.id, num, GETPID) == pid);
  test.check_undone();
}

TEST_CASE("a zombie's operations are undone", "[undo_death]") {
  UndoTest test;
  Process& holder = test.holder({op(0, 3, kUndo)});
  CHECK(value_of(test.task, test.id) == 3);
  holder.become_zombie();
  CHECK(value_of(test.task, test.id) == 0);
  test.check_undone();
}

TEST_CASE("a large set's adjustments are all added", "[undo_death]") {
  const int nsems = GENERATE(65, 300, 1100);
  UndoTest test(nsems);
  test.cell.header().limits.semopm = kSemOpsMax;
  REQUIRE(operate(test.task, test.id, {op(nsems - 1, 7)}) == 0);
  Process& holder = test.holder(on_all(std::min(nsems, 1024), 2, kUndo));
  Process& other = test.holder({op(nsems - 1, -3, kUndo)});
  holder.kill();
  other.kill();
  Numbers expected(static_cast<std::size_t>(nsems));
  expected.back() = 7;
  CHECK(test.values() == expected);
  test.check_undone();
}

TEST_CASE("what was set since is not undone", "[undo_death]") {
  UndoTest test(2);
  Process& holder = test.holder({op(0, 3, kUndo), op(1, 3, kUndo)});
  REQUIRE(set_value(test.task, test.id, 0, 8) == 0);
  holder.kill();
  CHECK(test.values() == Numbers{8, 0});
  test.check_undone();
}

TEST_CASE("the end of a process that has nothing to undo shows in otime", "[undo_death]") {
  UndoTest test;
  test_seconds = 6000;
  Process& holder = test.holder({op(0, 0, kUndo)});
  holder.kill();
  test_seconds = 6001;
  CHECK(value_of(test.task, test.id) == 0);
  CHECK(test.newest().hold.is_spent == 0);
  CHECK(test.stat().sem_otime == 6001);
  test.check_undone();
}

TEST_CASE("a burial that was broken off is finished", "[undo_death]") {
  UndoTest test(100);
  Process& holder = test.holder(on_all(100, 2, kUndo));
  Worker worker(test.cell);
  holder.kill();
  worker.run([&](Task& own) {
    SemSetRec& set = test.record();
    lock(own, set.lock);
    Journal journal(own);
    journal.set(set.burying, static_cast<u64>(set.holds.all));
    for (u32 num = 0; num < 64; ++num) {
      journal.set(test.semaphore(num).state, 0);
      journal.set(*adjustment_at(test.cell, test.newest(), num), 0);
    }
    journal.commit();
    return 0;
  });
  SECTION("by the next to lock the set") {
    worker.die();
    CHECK(value_of(test.task, test.id) == 0);
  }
  SECTION("by the reaper of its process") {
    worker.die();
    reap_dead_tasks(test.task);
    CHECK(test.raw_value(99) == 0);
  }
  SECTION("and nothing is left to do if the set is removed") {
    worker.die();
    CHECK(control(test.task, test.id, 0, IPC_RMID) == 0);
    test.id = make_set(test.task, 100);
  }
  CHECK(test.values() == Numbers(100));
  test.check_undone();
}

TEST_CASE("who waits for what the dead hold goes on", "[undo_death]") {
  UndoTest test(2);
  REQUIRE(set_values(test.task, test.id, {2, 1}) == 0);
  Process& holder = test.holder({op(0, -1, kUndo)});
  std::vector<Sleeper*> sleepers;
  for (int n = 0; n < 2; ++n) sleepers.push_back(&test.sleeper({op(0, -2), op(0, 2)}));
  sleepers.push_back(&test.sleeper({op(1, 0)}));
  // One that comes when they sleep already.
  Process& late = test.holder({op(0, -1, kUndo), op(1, 1, kUndo)});
  REQUIRE(operate(test.task, test.id, {op(1, -1)}) == 0);
  holder.kill();
  late.kill();
  for (Sleeper* sleeper : sleepers) CHECK(sleeper->result() == 0);
  CHECK(test.values() == Numbers{2, 0});
  test.check_undone();
}

TEST_CASE("a dead process's sleeper takes nothing", "[undo_death]") {
  UndoTest test(2);
  kill_asleep(test.cell, [&](Task& own) {
    operate(own, test.id, {op(1, 1, kUndo)});
    return operate(own, test.id, {op(0, -1, kUndo)});
  });
  CHECK(operate(test.task, test.id, {op(0, 1)}) == 0);
  CHECK(test.values() == Numbers{1, 0});
  test.check_undone();
}

TEST_CASE("a set whose dead were not buried can be removed", "[undo_death]") {
  UndoTest test(300);
  Process& dead = test.holder(on_all(300, 1, kUndo));
  test.holder({op(0, 1, kUndo)});
  dead.kill();
  CHECK(control(test.task, test.id, 0, IPC_RMID) == 0);
  CHECK(test.violation() == "");
  reap_dead_tasks(test.task);
  CHECK(test.count_processes() == 1);
  CHECK(take_census(test.cell).total() == 1);
}

// ---------------------------------------------------------------- without tasks

namespace {

// A process that lives, and whose only task has ended with something to undo.
class Forsaken {
 public:
  explicit Forsaken(UndoTest& test)
      : child_([&] {
          std::thread([&] {
            TestTask own(test.cell);
            operate(own, test.id, {op(0, 1, kUndo)});
            own.abandon();
          }).join();
          store_release(*is_done_, 1u);
          return pause();
        }) {
    wait_until([&] { return load_acquire(*is_done_) != 0; });
  }
  pid_t pid() const { return child_.pid(); }
  void kill() { child_.kill(); }

 private:
  Shared<u32> is_done_;
  Child child_;
};

}  // namespace

TEST_CASE("a process that has no task any more is forgotten by nobody", "[undo_death]") {
  UndoTest test;
  Forsaken process(test);
  // As long as it lives there is nothing to do.
  CHECK(value_of(test.task, test.id) == 1);
  reap_dead_tasks(test.task);
  CHECK(test.newest().hold.witness == kNoSlot);
  CHECK(value_of(test.task, test.id) == 1);
  const pid_t pid = process.pid();
  process.kill();
  SECTION("its end is met in a set") { CHECK(value_of(test.task, test.id) == 0); }
  SECTION("or by the reaper of a task of the same bucket") {
    Worker worker(test.cell);
    worker.task().rec->pid = pid + static_cast<pid_t>(kProcessBuckets);
    worker.die();
    reap_dead_tasks(test.task);
  }
  CHECK(test.raw_value() == 0);
  CHECK(test.count_records() == 0);
  CHECK(test.count_processes() == 0);
  test.check_undone();
}

TEST_CASE("an exec is not the end of its process", "[undo_death]") {
  UndoTest test;
  const Shared<u32> slot;
  Child child([&] {
    TestTask own(test.cell);
    CHILD_CHECK(operate(own, test.id, {op(0, 1, kUndo)}) == 0);
    store_release(*slot, own.slot);
    int pipe_ends[2];
    CHILD_CHECK(pipe(pipe_ends) == 0 && dup2(pipe_ends[0], STDIN_FILENO) == 0);
    execlp("cat", "cat", nullptr);
    return 1;
  });
  wait_until([&] { return *slot != kNoSlot && is_dead(test.cell, load_acquire(*slot)); });
  CHECK(value_of(test.task, test.id) == 1);
  reap_dead_tasks(test.task);
  CHECK(value_of(test.task, test.id) == 1);
  child.kill();
  CHECK(value_of(test.task, test.id) == 0);
}

// ---------------------------------------------------------------- unshare

TEST_CASE("a process's only thread that unshares undoes at once", "[undo_death]") {
  UndoTest test;
  CHECK(operate(test.task, test.id, {op(0, 3, kUndo)}) == 0);
  sys_unshare_undo(test.task, true);
  CHECK(test.raw_value() == 0);
  CHECK(test.count_records() == 0);
  CHECK(test.count_processes() == 0);
  CHECK(operate(test.task, test.id, {op(0, 3, kUndo)}) == 0);
  CHECK(test.count_records() == 1);
  test.check_undone(1);
}

TEST_CASE("a thread that unshares has a list of its own, until it ends", "[undo_death]") {
  UndoTest test;
  CHECK(operate(test.task, test.id, {op(0, 1, kUndo)}) == 0);
  Worker worker(test.cell);
  CHECK(worker.run([&](Task& own) {
    operate(own, test.id, {op(0, 2, kUndo)});
    sys_unshare_undo(own, false);
    return operate(own, test.id, {op(0, 4, kUndo)});
  }) == 0);
  CHECK(test.count_processes() == 2);
  CHECK(test.adjustment(test.newest()) == -4);
  worker.die();
  CHECK(value_of(test.task, test.id) == 3);
  test.check_undone(1);
}

}  // namespace ipcell
