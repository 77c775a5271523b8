// Races of the recoverers and reapers among themselves: the victim is not killed but stands still
// at each of its instructions, while others reap the dead task that it works on, claim the slot,
// and use it. Then it goes on, and must not touch what is not the dead task's any more.
#include <signal.h>
#include <unistd.h>

#include "tests/crash/scenario.h"
#include "tests/crash/tracee.h"

namespace crash {

namespace {

constexpr Message kOld = {1, 30, 1};
constexpr Message kNew = {5, 100, 9};
constexpr int kMark = 4711;  // a store that must stay
constexpr int kDead = 4712;  // a store that must go

long stat_it(Actor& actor) { return actor.stat(0).msg_qnum == 1 ? 0 : -1; }

long attach_and_stat(Actor& actor) {
  actor.attach();
  return stat_it(actor);
}

// Stops with the queue's lock and an open transaction; killed there later.
long die_holding(Actor& actor) {
  ipcell::MsgQueueRec& queue = actor.record(0);
  ipcell::Locked locked(actor.task, queue.lock);
  ipcell::Journal journal(actor.task);
  journal.set(queue.lspid, kDead);
  kill(getpid(), SIGSTOP);
  return 0;
}

long die_recovering(Actor& actor) {
  const ipcell::RecoveryLocked locked(actor.task);
  kill(getpid(), SIGSTOP);
  return 0;
}

// A new owner of the slot, in the middle of a transaction until the victim is done.
long act_in_new_slot(Actor& actor) {
  actor.attach();
  ipcell::MsgQueueRec& queue = actor.record(1);
  ipcell::Locked locked(actor.task, queue.lock);
  ipcell::Journal journal(actor.task);
  journal.set(queue.lspid, kMark);
  await(actor.board.victim.progress, kDone, 300);
  const bool is_mine = (queue.lock.word & ~ipcell::kLockWaiters) == actor.task.slot;
  const bool is_undone = queue.lspid != kMark;
  journal.commit();
  actor.expect(is_mine, "a live task's lock was taken from it");
  actor.expect(!is_undone, "a live task's store was undone");
  return 0;
}

// A new owner of the slot that recovers somebody itself.
long recover_in_new_slot(Actor& actor) {
  actor.attach();
  const ipcell::RecoveryLocked locked(actor.task);
  await(actor.board.victim.progress, kDone, 30);
  const ipcell::u32 word = actor.cell.header().recovery_lock.word;
  actor.expect((word & 0x7fff) == actor.task.slot, "a live task's recovery lock was taken from it");
  return 0;
}

// ---------------------------------------------------------------- a reaper half-way

// Stops the reaper when it has given the dead task's locks back, and not yet freed its slot.
void stop_reaping(ipcell::Task&, ipcell::TaskRec&, ipcell::u32) { kill(getpid(), SIGSTOP); }

long reap_half(Actor& actor) {
  actor.attach();
  const ipcell::u32 dead = actor.board.sleepers[0].slot;
  while (!ipcell::is_dead(actor.cell, dead)) usleep(100);
  ipcell::reap_task(actor.task, dead, stop_reaping);
  return 0;
}

// The dead task dies, and the reaper comes to where it stops.
void start_reaper(Actor& actor) {
  Slate& reaper = actor.board.contenders[0];
  announce(reaper.command, kStart);
  while (reaper.slot == 0) usleep(100);
  kill(actor.board.sleepers[0].pid, SIGKILL);
  while (thread_state(reaper.pid) != 'T') usleep(100);
}

// What a task does that has met the dead one's lock, and was slow.
long recover_late(Actor& actor) {
  ipcell::recover_locks(actor.task, actor.board.sleepers[0].slot);
  return 0;
}

long continue_reaper(Actor& actor) {
  Slate& reaper = actor.board.contenders[0];
  kill(reaper.pid, SIGCONT);
  // Free to go, it is done at once; else it waits for the victim.
  await(reaper.progress, kDone, 10);
  return 0;
}

Outcome verify_not_undone(Actor& actor) {
  actor.expect(actor.record(0).lspid != kDead, "the dead task's store is still there");
  expect_messages(actor, 0, {kOld});
  return Outcome::Absent;
}

Scenario recovering(const char* name, std::function<long(Actor&)> operation,
                    std::vector<std::function<long(Actor&)>> dead,
                    std::vector<std::function<long(Actor&)>> contenders) {
  const int doomed = static_cast<int>(dead.size());
  return {.name = name,
          .setup = queue_with({kOld}),
          .sleepers = std::move(dead),
          .doomed = doomed,
          .operation = std::move(operation),
          .contenders = std::move(contenders),
          .contenders_attach = false,
          .is_pause = true,
          .verify = verify_not_undone,
          .is_unordered = true};
}

// ---------------------------------------------------------------- a sleeper dies while it is
// served

// The message went to the sleeper, and with it, or it is in the queue. The slot's new owner has
// none of it.
Outcome verify_served(Actor& actor) {
  const Messages found = actor.drain(0);
  actor.expect(found.empty() || found == Messages{kNew}, "the queue holds what nobody sent");
  serve_new_slot(actor);
  return Outcome::Whole;
}

Outcome verify_admitted(Actor& actor) {
  const Messages found = actor.drain(0);
  const bool is_in = found == Messages{kNew};
  actor.expect(found.empty() || is_in, "the queue holds what nobody sent");
  serve_new_slot(actor);
  return Outcome::Whole;
}

}  // namespace

void add_pause_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      recovering("pause-recovery", stat_it, {die_holding}, {attach_and_reap, act_in_new_slot}));
  scenarios.push_back(recovering("pause-reaping", reap, {die_holding},
                                 {attach_and_stat, attach_and_reap, act_in_new_slot}));
  scenarios.push_back(recovering("pause-recovery-lock", stat_it, {die_recovering, die_holding},
                                 {attach_and_reap, recover_in_new_slot}));
  scenarios.push_back(recovering("pause-late-recovery", recover_late, {die_holding},
                                 {reap_half, continue_reaper, act_in_new_slot}));
  scenarios.back().doomed = 0;
  scenarios.back().prepare = start_reaper;
  scenarios.push_back({.name = "pause-handoff",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192)},
                       .prepare = warm_and_load(kNew),
                       .operation = [](Actor& actor) { return actor.send_loaded(0); },
                       .contenders = {kill_sleeper, attach_and_reap, wait_in_new_slot},
                       .contenders_attach = false,
                       .lingering = 1,
                       .is_pause = true,
                       .verify = verify_served,
                       .is_unordered = true});
  scenarios.push_back({.name = "pause-admission",
                       .setup = queue_with({{1, 100, 1}}, 100),
                       .sleepers = {sender(kNew)},
                       .operation = [](Actor& actor) { return actor.receive_raw(0, 8192); },
                       .expected = 100,
                       .contenders = {kill_sleeper, attach_and_reap, wait_in_new_slot},
                       .contenders_attach = false,
                       .lingering = 1,
                       .is_pause = true,
                       .verify = verify_admitted,
                       .is_unordered = true});
}

}  // namespace crash
