// check_cell() finds what is wrong with semaphore sets, and with what processes would undo. Nobody
// runs meanwhile: the sleepers are tasks of this thread that were put into the lists and sleep not.
#include "core/ipc/check_sem.h"

#include <sys/sem.h>

#include "core/ipc/limits.h"
#include "tests/unit/blocks.h"
#include "tests/unit/catch.h"
#include "tests/unit/undo_fixture.h"

namespace ipcell {

namespace {

using namespace test;

class CheckTest : public UndoTest {
 public:
  // Semaphores 0 and 2 are 1, the others 0.
  CheckTest() : UndoTest(3), taker(cell), zero(cell), several(cell), zeros(cell) {
    operate(task, id, {op(0, 1, SEM_UNDO), op(2, 1)});
    process = holder_of_large();
    queue(taker, {{1, -1, 0, 0}});
    queue(zero, {{0, 0, 0, 0}});
  }
  // With two more sleepers, that wait for several semaphores.
  void merge() {
    queue(several, {{0, -1, 0, 0}, {1, -1, 0, 0}});
    queue(zeros, {{1, 0, 0, 0}, {2, 0, 0, 0}});
  }
  ~CheckTest() {
    for (Task* sleeper : {&taker, &zero, &several, &zeros}) {
      sleeper->rec->wait.linked = 0;
      sleeper->rec->wait.sem.ops = 0;
    }
  }

  SemSetRec& large() const { return *cell.at<SemSetRec>(sem_registry(cell).entries[1].record); }
  UndoRec& large_undo() const { return *undo_at(large().holds.all); }
  ProcessRec& process_of(const UndoRec& undo) const {
    return *cell.at<ProcessRec>(undo.hold.process);
  }
  SemOp& op_of(const Task& sleeper, u32 n) const {
    return reinterpret_cast<SemOp*>(cell.at<FreeBlock>(sleeper.rec->wait.sem.ops) + 1)[n];
  }

  void tells(const std::string& what) {
    const std::string told = violation();
    INFO("\"" << told << "\" should tell: " << what);
    CHECK(!told.empty());
    CHECK(told.find(what) != std::string::npos);
  }
  // The check finds it when `place` has another value, in words that begin with `what`.
  template <class T>
  void finds(const char* what, T& place, std::type_identity_t<T> value) {
    REQUIRE(violation() == "");
    const T kept = std::exchange(place, value);
    tells(what);
    place = kept;
    CHECK(violation() == "");
  }

  TestTask taker, zero, several, zeros;
  Process* process;

 private:
  Process* holder_of_large() {
    const int large_id = make_set(task, 40);
    operate(task, large_id, {op(0, 1)});
    return &processes_.emplace_back(
        cell, [large_id](Task& own) { return operate(own, large_id, {op(39, 1, SEM_UNDO)}) == 0; });
  }
  void queue(Task& sleeper, const std::vector<SemOp>& ops) {
    LockedSet set(sleeper, offset());
    const SemCall call = {ops.data(), static_cast<u32>(ops.size()), sleeper.identity.pid, nullptr};
    CHECK(enqueue_semop(sleeper, *set, call, 0) == kWaitPending);
  }

  std::deque<Process> processes_;
};

}  // namespace

TEST_CASE("a set that is as it should be has no violation", "[check_sem]") {
  CheckTest test;
  CHECK(test.violation() == "");
  test.merge();
  CHECK(test.violation() == "");
}

TEST_CASE("broken semaphores are found", "[check_sem]") {
  CheckTest test;
  Semaphore& sem = test.semaphore(2);
  test.finds("is too large", sem.state, pack_state(SEMVMX + 1, 1));
  test.finds("has no semaphore", test.record().sems, 0);
  test.finds("total is not", test.record().nsems, 1000u);
  test.finds("lock", test.record().lock.word, test.task.slot);
  test.finds("not settled", test.record().unsettled, 1u);
  test.merge();
  test.finds("though the lists are merged", sem.alter.first, test.taker.slot);
}

TEST_CASE("broken lists of sleepers are found", "[check_sem]") {
  CheckTest test;
  WaitNode& node = test.taker.rec->wait;
  WaitList& list = test.semaphore(1).alter;
  test.finds("is no slot", list.first, kTaskSlots);
  test.finds("linked as a waiter", test.cell.layout().task_states[test.taker.slot - 1], 0);
  test.finds("is no task", list.first, ++test.cell.header().slots_high);
  test.finds("the last waiter is", list.last, kNoSlot);
  test.finds("the last waiter is", list.first, kNoSlot);
  test.finds("has the predecessor", node.prev, 1u);
  test.finds("is not linked", node.linked, 0u);
  test.finds("is in no semop", node.kind, WaitKind::Sender);
  test.finds("waits on", node.object, 64);
  test.finds("has the result", node.result, 0);
  test.finds("has the wait word", node.word, kWaitDone);
  test.finds("has the wait word", node.word, kWaitIdle);
  test.finds("broken operations", node.sem.count, 0u);
  test.finds("broken operations", node.sem.count, kSemOpsMax + 1);
  test.finds("broken operations", node.sem.blocking, 1u);
  test.finds("what is not there", node.sem.op.num, u16{3});
  test.finds("is in another list", node.sem.op.num, u16{2});
  test.finds("is wrong about its kind", node.sem.alters, 0u);
  test.finds("could go on", test.semaphore(1).state, pack_state(1, 1));
  test.finds("waiters is", test.record().waiters, 1u);
  test.finds("complex_count is", test.record().complex_count, 1u);
  test.finds("merged is", test.large().merged, 1u);
}

TEST_CASE("broken operations of sleepers are found", "[check_sem]") {
  CheckTest test;
  test.merge();
  WaitNode& node = test.several.rec->wait;
  test.finds("broken operations", node.sem.ops, 0);
  test.finds("what is not there", test.op_of(test.several, 1).num, u16{3});
  // Could go on, or would be told an error.
  test.finds("could go on", test.op_of(test.several, 1).num, u16{2});
  test.finds("could go on", test.op_of(test.several, 1).flags, u16{IPC_NOWAIT});
  test.finds("has the predecessor", node.prev, kNoSlot);
  test.finds("complex_count is", test.record().complex_count, 1u);
  test.finds("is in another list", test.record().merged, 0u);
  // A ring: nobody comes to its end.
  test.finds("", node.next, test.taker.slot);
}

TEST_CASE("broken adjustments are found", "[check_sem]") {
  CheckTest test;
  UndoRec& undo = test.newest();
  UndoRec& large = test.large_undo();
  test.finds("is too long", test.record().holds.all, 0);
  test.finds("another set's", undo.hold.live, 0u);
  test.finds("another set's", undo.hold.object, test.cell.offset_of(&test.large()));
  test.finds("another set's", undo.hold.object_id, 77);
  test.finds("are not linked", undo.hold.object_prev, test.cell.offset_of(&large));
  test.finds("have no array", large.array, 0);
  test.finds("have no array", undo.array, large.array);
  test.finds("nonzero is", undo.adjustments[1], pack_adjustment(0, 5));
  test.finds("nonzero is", undo.adjustments[0], 0);
  test.finds("something spent is left", undo.hold.is_spent, 1u);
  test.finds("have no task as witness", undo.hold.witness, test.cell.header().slots_high + 1);
  test.finds("armed are", test.record().holds.armed, 0);
  test.finds("what is armed is no record", test.record().holds.armed, test.record().sems);
  test.finds("the armed list is broken", undo.hold.armed_prev, test.cell.offset_of(&large));
  test.finds("is too long", undo.hold.armed_next, test.cell.offset_of(&undo));
  test.finds("not settled", test.record().burying, test.cell.offset_of(&undo));
}

TEST_CASE("what is armed without need is found", "[check_sem]") {
  CheckTest test;
  REQUIRE(operate(test.task, test.id, {op(0, 0, SEM_UNDO | IPC_NOWAIT)}) == -EAGAIN);
  UndoRec& undo = test.newest();
  const u64 kept = std::exchange(undo.adjustments[0], 0);
  undo.hold.amount = 0;
  test.tells("list of armed adjustments is too long");
  undo.adjustments[0] = kept;
  undo.hold.amount = 1;
  CHECK(test.violation() == "");
}

TEST_CASE("a broken table of processes is found", "[check_sem]") {
  CheckTest test;
  UndoRec& undo = test.newest();
  ProcessRec& process = test.process_of(undo);
  ProcessRec& other = test.process_of(test.large_undo());
  ProcessTable& table = test.cell.layout().processes;
  test.finds("lock of the processes", table.lock.word, test.task.slot);
  test.finds("is in bucket", process.pid, process.pid + 1);
  test.finds("holds what is no record", process.holds, test.record().sems);
  test.finds("is broken", process.holds, test.cell.offset_of(&test.large_undo()));
  test.finds("is broken", undo.hold.proc_prev, test.cell.offset_of(&test.large_undo()));
  test.finds("is broken", undo.hold.process, test.cell.offset_of(&other));
  test.finds("the processes' lists have 1 records, the objects' 2", process.holds, 0);
  test.finds("is broken", undo.hold.proc_next, test.cell.offset_of(&undo));
  test.finds("process", process.next, test.cell.offset_of(&process));
}

TEST_CASE("blocks of two owners, and of none, are found", "[check_sem]") {
  CheckTest test;
  test.merge();
  TaskRec& rec = *test.task.rec;
  const u64 block = test.record().sems;
  test.finds("", rec.array, block);
  test.finds("", rec.loose, block);
  test.finds("", rec.loose, 8);
  test.finds("", rec.wait.sem.ops, test.several.rec->wait.sem.ops);
  test.finds("", rec.journal_blocks[0], block);
  test.finds("", test.record().sems, test.large().sems);
  const u64 lost = take_block(test.task, BlockClass::Undo);
  CHECK(test.violation() != "");
  give_block(test.task, lost);
  CHECK(test.violation() == "");
}

}  // namespace ipcell
