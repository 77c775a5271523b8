// Slots of holders that are reaped: what they had to undo is done, and its records are freed.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

Scenario reaping(const char* name, Values values, Actors holders,
                 std::function<long(Actor&)> operation) {
  const int count = static_cast<int>(holders.size());
  return {.name = name,
          .setup =
              [values](Actor& actor) {
                actor.make_set(0, values);
                actor.make_set(1, values);
              },
          .sleepers = std::move(holders),
          .doomed = count,
          .operation = std::move(operation),
          .verify =
              [values](Actor& actor) {
                expect_values(actor, values, "when the dead are reaped");
                actor.expect(actor.values(1) == values, "of the other set the dead keep something");
                return Outcome::Absent;
              },
          .verify_end = ends_with(values),
          .is_unordered = true};
}

std::function<long(Actor&)> holder_of_two(Ops ops) {
  return [ops](Actor& actor) {
    actor.expect(actor.semop(1, ops) == 0, "a holder's semop fails");
    return holder(ops)(actor);
  };
}

void add_reaping(std::vector<Scenario>& scenarios) {
  const Actors two = {holder_of_two({{0, -2, kUndo}}), holder({{0, -1, kUndo}, {1, 1, kUndo}})};
  scenarios.push_back(reaping("undo-reap", {5, 0}, two, reap));
  scenarios.push_back(reaping("undo-attach", {5, 0}, two, [](Actor& actor) {
    actor.attach();
    return 0L;
  }));
  scenarios.back().attaches = true;
  scenarios.push_back(reaping("undo-reap-large", values_of(20, 2),
                              {holder({{0, -1, kUndo}, {19, 2, kUndo}})}, reap));
  // Whoever reaps them lets another go on.
  scenarios.push_back(changing("undo-reap-wakes",
                               {.after = {0}, .operation = reap, .results = {kHolds, 0}},
                               {holder({{0, -1, kUndo}}), doing({{0, -1, 0}})}, 1));
  scenarios.back().setup = set_with({1});
}

}  // namespace

void add_undo_task_scenarios(std::vector<Scenario>& scenarios) { add_reaping(scenarios); }

}  // namespace crash
