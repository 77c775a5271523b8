// semop that need not wait: one operation and many, failing ones, and SEM_UNDO.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

// Nothing of it may be left.
Scenario failing(const char* name, Values values, Ops ops, long expected) {
  Scenario scenario = {.name = name,
                       .setup = set_with(values),
                       .operation = doing(std::move(ops)),
                       .expected = expected,
                       .verify =
                           [values](Actor& actor) {
                             expect_values(actor, values, "after a semop that fails");
                             return Outcome::Absent;
                           },
                       .is_unordered = true};
  scenario.verify_end = ends_with(values);
  return scenario;
}

Values plus(Values values, const Ops& ops) {
  for (const struct sembuf& op : ops)
    values[op.sem_num] = static_cast<unsigned short>(values[op.sem_num] + op.sem_op);
  return values;
}

Scenario succeeding(const char* name, Values values, Ops ops) {
  const Values after = plus(values, ops);
  return changing(name, {.before = values, .after = after, .operation = doing(std::move(ops))});
}

// ---------------------------------------------------------------- SEM_UNDO

// With the victim its process dies, which undoes what it did; or its thread alone, and it stays
// until the process ends. Who changed the first semaphore last shows whether it was done.
Outcome verify_undone(Actor& actor, const Values& before, const Values& after) {
  const bool was_done = actor.last_pid(0) == actor.board.victim.pid;
  const bool stays = was_done && !actor.board.victim.has_ended;
  expect_values(actor, stays ? after : before, stays ? "done by a thread" : "when it is undone");
  return was_done ? Outcome::Whole : Outcome::Absent;
}

// `values` are those before the victim did anything, `before` and `after` those around the
// operation while its process lives.
Scenario undoing(const char* name, Values values, Ops ops, Ops earlier = {}) {
  const Values before = plus(values, earlier);
  const Values after = plus(before, ops);
  const bool is_first = earlier.empty();
  Scenario scenario = {.name = name,
                       .setup = set_with(values),
                       .operation = doing(ops),
                       .verify =
                           [=](Actor& actor) {
                             if (is_first) return verify_undone(actor, values, after);
                             const Values found = actor.values(0);
                             const bool is_right = actor.board.victim.has_ended
                                                       ? found == values
                                                       : found == before || found == after;
                             actor.expect(is_right, "the first value is %d", found[0]);
                             return found == after ? Outcome::Whole : Outcome::Absent;
                           },
                       .verify_end = ends_with(values),
                       .is_unordered = !is_first};
  if (!is_first) {
    scenario.prepare = [earlier](Actor& actor) {
      actor.expect(actor.semop(0, earlier) == 0, "the victim cannot begin");
    };
  }
  return scenario;
}

void add_undoing(std::vector<Scenario>& scenarios) {
  constexpr short kUndo = SEM_UNDO;
  // The first use makes the record, and the process's; with an array for more than 16.
  scenarios.push_back(undoing("undo-first", {5, 0}, {{0, -2, kUndo}, {1, 1, kUndo}}));
  scenarios.push_back(
      undoing("undo-first-large", values_of(20, 5), {{0, -2, kUndo}, {19, 1, kUndo}}));
  // Those who sleep are told of the new record.
  scenarios.push_back(undoing("undo-first-told", {5, 0}, {{0, -2, kUndo}}));
  scenarios.back().sleepers = {doing({{1, -1, 0}}), doing({{0, -6, 0}, {1, -1, 0}})};
  scenarios.push_back(
      undoing("undo-more", {5, 0}, {{0, -2, kUndo}, {1, 1, kUndo}}, {{0, -1, kUndo}}));
  // The last adjustment becomes 0: the record is disarmed.
  scenarios.push_back(undoing("undo-back", {5, 0}, {{0, 2, kUndo}}, {{0, -2, kUndo}}));
  scenarios.push_back(
      undoing("undo-again", {5, 0}, {{1, 3, kUndo}}, {{0, -2, kUndo}, {0, 2, kUndo}}));
  scenarios.push_back(
      failing("undo-failing", {5, 0}, {{0, -2, kUndo}, {1, -1, IPC_NOWAIT}}, -EAGAIN));
  // An adjustment can be too large although the value is not.
  scenarios.push_back(failing("undo-erange", {32767}, {{0, -1, kUndo}}, -ERANGE));
  scenarios.back().prepare = [](Actor& actor) {
    actor.expect(actor.semop(0, {{0, -32767, kUndo}}) == 0, "the victim cannot begin");
    actor.expect(actor.semop(0, {{0, 1, 0}}) == 0, "the victim cannot begin");
  };
  scenarios.back().verify = [](Actor& actor) {
    const Values left = {static_cast<unsigned short>(actor.board.victim.has_ended ? 32767 : 1)};
    expect_values(actor, left, "after a semop that fails");
    return Outcome::Absent;
  };
}

}  // namespace

void add_sem_op_scenarios(std::vector<Scenario>& scenarios) {
  const Values few = {2, 0, 5};
  scenarios.push_back(succeeding("sem-take", few, {{0, -1, 0}}));
  scenarios.push_back(succeeding("sem-add", few, {{2, 7, 0}}));
  scenarios.push_back(
      succeeding("sem-several", few, {{0, -2, 0}, {1, 0, 0}, {2, 3, 0}, {1, 4, 0}}));
  scenarios.push_back(succeeding("sem-same", few, {{0, -2, 0}, {0, 0, 0}, {0, 5, 0}, {0, -1, 0}}));
  scenarios.push_back(
      failing("sem-again", few, {{0, -1, 0}, {2, 1, 0}, {1, -1, IPC_NOWAIT}}, -EAGAIN));
  scenarios.push_back(failing("sem-erange", few, {{0, 1, 0}, {0, 1, 0}, {2, 32767, 0}}, -ERANGE));
  // The journal goes on in a block of the heap, which the first such call reserves.
  Ops adding = many(200, 1);
  scenarios.push_back(succeeding("sem-long", values_of(200, 3), adding));
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "sem-long-more";
  scenarios.back().prepare = [adding](Actor& actor) {
    Ops nothing = adding;
    nothing.push_back({0, -32000, IPC_NOWAIT});
    actor.expect(actor.semop(0, nothing) == -EAGAIN, "the victim cannot warm up");
  };
  adding.push_back({0, -32000, IPC_NOWAIT});
  scenarios.push_back(failing("sem-long-failing", values_of(200, 3), adding, -EAGAIN));
  add_undoing(scenarios);
  scenarios.push_back(undoing("undo-long", values_of(100, 3), many(100, -1, SEM_UNDO)));
}

}  // namespace crash
