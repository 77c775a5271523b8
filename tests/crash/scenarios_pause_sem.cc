// Semaphores served by one who is slow: it stops at an instruction, and meanwhile those that it
// serves die, are reaped, and others have their slots.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

long get_value(Actor& actor) { return actor.control_set(0, GETVAL); }

long attach_and_look(Actor& actor) {
  actor.attach();
  return get_value(actor);
}

// The first sleeper dies while the victim lets it go on. `values` are those when it did and when it
// did not.
Scenario serving(const char* name, Ops sleeper, Ops ops, Values before, Values done,
                 Values undone) {
  return {.name = name,
          .setup =
              [before](Actor& actor) {
                queue_with({})(actor);
                actor.make_set(0, before);
              },
          .sleepers = {doing(std::move(sleeper))},
          .operation = doing(std::move(ops)),
          .contenders = {kill_sleeper, attach_and_reap, wait_in_new_slot},
          .contenders_attach = false,
          .lingering = 1,
          .is_pause = true,
          .verify =
              [=](Actor& actor) {
                const Values found = actor.values(0);
                actor.expect(found == done || found == undone, "the first value is %d", found[0]);
                serve_new_slot(actor);
                return Outcome::Whole;
              },
          .is_unordered = true};
}

// A holder is dead, and several find that out at once.
Scenario burying(const char* name, std::function<long(Actor&)> operation) {
  return {.name = name,
          .setup = set_with({5, 0}),
          .sleepers = {holder({{0, -2, kUndo}, {1, 1, kUndo}}), holder({{0, -1, kUndo}})},
          .doomed = 2,
          .operation = std::move(operation),
          .contenders = {attach_and_look, attach_and_reap,
                         [](Actor& actor) {
                           actor.attach();
                           return actor.semop(0, {{0, -1, kUndo}});
                         }},
          .contenders_attach = false,
          .is_pause = true,
          .verify =
              [](Actor& actor) {
                expect_values(actor, {4, 0}, "when all have looked");
                return Outcome::Absent;
              },
          .verify_end = ends_with({5, 0}),
          .is_unordered = true};
}

}  // namespace

void add_pause_sem_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(serving("pause-sem", {{0, -1, 0}}, {{0, 1, 0}}, {0}, {0}, {1}));
  scenarios.push_back(serving("pause-sem-complex", {{0, -1, 0}, {1, -1, 0}}, {{0, 1, 0}, {1, 1, 0}},
                              {0, 0}, {0, 0}, {1, 1}));
  // Either way the unit is there when its taker is dead.
  scenarios.push_back(serving("pause-sem-undo", {{0, -1, kUndo}}, {{0, 1, 0}}, {0}, {1}, {1}));
  // One of the others may take one before the victim looks.
  const auto look = [](Actor& actor) { return get_value(actor) >= 4 ? 0L : -1L; };
  scenarios.push_back(burying("pause-bury", look));
  scenarios.push_back(burying("pause-undo-reap", reap));
  // The same who is killed, with the others at the door.
  scenarios.push_back(burying("contend-bury", look));
  scenarios.back().is_pause = false;
}

}  // namespace crash
