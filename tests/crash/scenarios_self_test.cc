// Wrong on purpose: operations that break the rules of core/cell/journal.h. If the stepping test
// finds nothing in them it finds nothing at all (crash_step --self-test).
#include "core/ipc/undo.h"
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

// The message count of a queue is changed and changed back, and not by the journal: a death in
// between leaves a queue that counts a message which is not there.
long store_beside_the_journal(Actor& actor) {
  ipcell::MsgQueueRec& queue = actor.record(0);
  ipcell::Locked locked(actor.task, queue.lock);
  ipcell::store_relaxed(queue.load, queue.load + (1ull << 32));
  ipcell::kill_barrier();
  ipcell::store_relaxed(queue.load, queue.load - (1ull << 32));
  return 0;
}

// A transaction too few: what is taken out of the queue is nowhere for a moment.
long commit_too_early(Actor& actor) {
  ipcell::MsgQueueRec& queue = actor.record(0);
  {
    ipcell::Locked locked(actor.task, queue.lock);
    ipcell::Journal journal(actor.task);
    const ipcell::FoundMessage found =
        ipcell::find_message(actor.cell, queue, 0, ipcell::SEARCH_ANY);
    ipcell::unlink_message(journal, actor.cell, queue, found);
    journal.commit();
    journal.set(actor.task.rec->in_flight, found.offset);
    journal.commit();
  }
  ipcell::free_message(actor.task, actor.task.rec->in_flight);
  return 0;
}

// A waiter's result that is published before it stands: the sleeper goes on with what is taken
// back.
long publish_too_early(Actor& actor) {
  ipcell::MsgQueueRec& queue = actor.record(0);
  ipcell::WakeList wakes(actor.cell);
  ipcell::Locked locked(actor.task, queue.lock);
  ipcell::Journal journal(actor.task);
  const ipcell::u32 slot = queue.receivers.first;
  (void)ipcell::unlink_waiter(journal, actor.cell, queue.receivers, slot);
  journal.set(actor.cell.task(slot)->wait.result, -EIDRM);
  wakes.publish(slot);
  journal.commit();
  return 0;
}

// What a dead process has to undo, done in one transaction and forgotten in another: the next may
// do it again.
long undo_in_two_steps(Actor& actor) {
  ipcell::SemSetRec& set = actor.set_record(0);
  ipcell::Locked locked(actor.task, set.lock);
  auto& undo = *actor.cell.at<ipcell::UndoRec>(set.holds.armed);
  ipcell::Semaphore& sem = *ipcell::semaphore_at(actor.cell, set, 0);
  const int value = sem.get().value + ipcell::adjustment_of(undo.adjustments[0], sem);
  ipcell::Journal journal(actor.task);
  journal.set(sem.state, ipcell::pack_state(static_cast<ipcell::u32>(value), 0));
  journal.commit();
  journal.set(undo.adjustments[0], 0);
  ipcell::set_amount(journal, actor.cell, set.holds, undo.hold, 0);
  journal.commit();
  return 0;
}

Outcome verify_nothing(Actor&) { return Outcome::Absent; }

Scenario wrong(const char* name, long (*operation)(Actor&)) {
  return {.name = name,
          .setup = queue_with({{1, 30, 1}}),
          .operation = operation,
          .verify = verify_nothing,
          .is_self_test = true,
          .is_unordered = true};
}

}  // namespace

void add_self_test_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(wrong("self-test-store", store_beside_the_journal));
  scenarios.push_back(wrong("self-test-commit", commit_too_early));
  scenarios.push_back(wrong("self-test-publish", publish_too_early));
  scenarios.back().setup = queue_with({});
  scenarios.back().sleepers = {receiver(100)};
  scenarios.push_back(wrong("self-test-undo", undo_in_two_steps));
  Scenario& undoing = scenarios.back();
  undoing.setup = set_with({5});
  undoing.sleepers = {holder({{0, -2, SEM_UNDO}})};
  undoing.doomed = 1;
  undoing.verify = [](Actor& actor) {
    expect_values(actor, {5}, "when the dead are buried");
    return Outcome::Absent;
  };
}

}  // namespace crash
