// Wrong on purpose: operations that break the rules of core/cell/journal.h. If the stepping test
// finds nothing in them it finds nothing at all (crash_step --self-test).
#include <sys/mman.h>

#include "core/ipc/segment_space.h"
#include "core/ipc/undo.h"
#include "tests/crash/mqueue_tools.h"
#include "tests/crash/sem_tools.h"
#include "tests/crash/shm_tools.h"

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

// nattch and what it is the sum of, in two transactions.
long attach_in_two_steps(Actor& actor) {
  ipcell::SegmentRec& segment = actor.segment_record(0);
  const ipcell::LockedSegment locked(actor.task, actor.board.segment_records[0]);
  ipcell::HoldRec* hold = ipcell::find_attachment(actor.task, segment);
  if (hold == nullptr) return -1;
  ipcell::Journal journal(actor.task);
  journal.set(segment.nattch, segment.nattch + 1);
  journal.commit();
  ipcell::set_amount(journal, actor.cell, segment.holds, *hold, hold->amount + 1);
  journal.commit();
  return 0;
}

// The last one detaches from a removed segment, and does not note that it may go now.
long forget_the_doomed(Actor& actor) {
  ipcell::SegmentRec& segment = actor.segment_record(0);
  {
    const ipcell::LockedSegment locked(actor.task, actor.board.segment_records[0]);
    ipcell::HoldRec* hold = ipcell::find_attachment(actor.task, segment);
    if (hold == nullptr) return -1;
    ipcell::Journal journal(actor.task);
    ipcell::set_amount(journal, actor.cell, segment.holds, *hold, 0);
    journal.set(segment.nattch, 0);
    journal.commit();
  }
  ipcell::store_relaxed(actor.task.rec->doomed, actor.board.segment_records[0]);
  ipcell::remove_doomed(actor.task);
  return 0;
}

// A segment's pages are another's before they are given back.
long free_before_release(Actor& actor) {
  const ipcell::Cell& cell = actor.cell;
  const ipcell::u64 offset = actor.task.rec->destroying;
  ipcell::SegmentRec& segment = *cell.at<ipcell::SegmentRec>(offset);
  const ipcell::PageRange pages = ipcell::range_of(segment);
  {
    ipcell::Locked registry(actor.task, ipcell::shm_registry(cell).lock);
    ipcell::Journal journal(actor.task);
    ipcell::unlink_segment(journal, cell, segment);
    journal.set(actor.task.rec->loose, offset);
    journal.set(actor.task.rec->destroying, 0);
    journal.commit();
  }
  ipcell::free_block(actor.task, actor.task.rec->loose);
  return actor.addresses.file.release(pages);
}

// Makes segment 0, and stores in it beside all records.
void touch_segment(Actor& actor) {
  const long id = ipcell::sys_shmget(actor.task, IPC_PRIVATE, kSegmentBytes, IPC_CREAT | 0600);
  actor.expect(id >= 0, "shmget failed: %ld", id);
  const ipcell::u64 offset = ipcell::shm_registry(actor.cell).entries[id].record;
  actor.board.segment_records[0] = offset;
  ipcell::SegmentRec& segment = *actor.cell.at<ipcell::SegmentRec>(offset);
  segment.is_touched = 1;
  const int access = PROT_READ | PROT_WRITE;
  const long address = actor.addresses.file.map(ipcell::range_of(segment), 0, false, access, false);
  actor.expect(address > 0, "the segment can't be mapped");
  *reinterpret_cast<unsigned char*>(address) = 1;
}

// IPC_RMID as far as `destroying`.
void remove_id(Actor& actor) {
  const ipcell::Cell& cell = actor.cell;
  ipcell::Registry& registry = ipcell::shm_registry(cell);
  ipcell::Locked locked(actor.task, registry.lock);
  const ipcell::LockedSegment segment(actor.task, actor.board.segment_records[0]);
  ipcell::Journal journal(actor.task);
  ipcell::remove_id_locked(journal, cell, registry, segment->perm);
  journal.set(registry.total, registry.total - static_cast<ipcell::i64>(segment->pages));
  journal.set(segment->live, 0u);
  journal.set(actor.task.rec->destroying, actor.board.segment_records[0]);
  journal.commit();
}

// Fills a reserved node as if the heap had no part in it: the rest of the free list hangs on it.
long fill_reserved_node(Actor& actor) {
  ipcell::ReservedBlock block;
  if (const int error = block.reserve(actor.task, ipcell::BlockClass::MqRun)) return error;
  auto* node = block.as<ipcell::MqRun>();
  const ipcell::u64 link = node->free_link;
  ipcell::store_relaxed(node->free_link, ipcell::u64{0});
  ipcell::kill_barrier();
  ipcell::store_relaxed(node->free_link, link);
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
  scenarios.push_back(wrong("self-test-attach", attach_in_two_steps));
  scenarios.back().setup = segment_zero;
  scenarios.back().prepare = attach_before(1);
  scenarios.push_back(wrong("self-test-doomed", forget_the_doomed));
  scenarios.back().setup = segment_zero;
  scenarios.back().prepare = attach_and_remove;
  scenarios.push_back(wrong("self-test-release", free_before_release));
  scenarios.back().setup = touch_segment;
  scenarios.back().prepare = remove_id;
  scenarios.push_back(wrong("self-test-node", fill_reserved_node));
  scenarios.back().setup = mqueues_with({});
  scenarios.back().prepare = warm_up({1, 10, 1});
}

}  // namespace crash
