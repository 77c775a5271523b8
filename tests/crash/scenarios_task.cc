// Tasks: how a thread gets a slot, gives it back, and is reaped.
#include "tests/crash/scenario.h"

namespace crash {

namespace {

// Whoever died with a slot, it can be had again, and the table does not grow.
Outcome verify_slot(Actor& actor) {
  const ipcell::CellLayout& layout = actor.cell.layout();
  ipcell::u32 slot = 1;
  while (layout.task_states[slot - 1] == ipcell::kTaskLive) ++slot;
  ipcell::Task another;
  another.cell = &actor.cell;
  another.cred = actor.task.cred;
  another.identity = actor.task.identity;
  const int error = ipcell::attach_task(another);
  actor.expect(error == 0, "another task cannot attach: %d", error);
  actor.expect(another.slot == slot, "another task gets slot %u and not %u", another.slot, slot);
  ipcell::release_task(another);
  return Outcome::Absent;
}

Scenario claiming(const char* name, int doomed) {
  Scenario scenario = {.name = name,
                       .setup = queue_with({}),
                       .doomed = doomed,
                       .operation =
                           [](Actor& actor) {
                             actor.attach();
                             return 0L;
                           },
                       .attaches = true,
                       .verify = verify_slot,
                       .is_unordered = true};
  for (int n = 0; n < doomed; ++n) scenario.sleepers.push_back(receiver(8192));
  return scenario;
}

Outcome verify_reaped(Actor& actor) {
  expect_messages(actor, 0, {{1, 100, 1}});
  return verify_slot(actor);
}

}  // namespace

void add_task_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(claiming("attach", 0));
  scenarios.push_back(claiming("attach-reaps", 3));
  scenarios.push_back({.name = "release",
                       .setup = queue_with({}),
                       .prepare = warm_and_load({1, 100, 1}),
                       .operation =
                           [](Actor& actor) {
                             ipcell::release_task(actor.task);
                             return 0L;
                           },
                       .verify = verify_slot,
                       .is_unordered = true});
  scenarios.push_back({.name = "reap-waiters",
                       .setup = queue_with({{1, 100, 1}}, 100),
                       .sleepers = {receiver(100, 5), sender({1, 50, 9}), sender({1, 60, 10})},
                       .doomed = 3,
                       .operation =
                           [](Actor& actor) {
                             ipcell::reap_dead_tasks(actor.task);
                             return 0L;
                           },
                       .verify = verify_reaped,
                       .is_unordered = true});
}

}  // namespace crash
