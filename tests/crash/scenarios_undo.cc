// Holders that have died: the victim is the one who finds out, does what they had to undo, and
// dies over it. Whoever does it in the end, it is done once.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;
constexpr int kKey = 0x4321;

// The victim only looks. The survivor finds `left`, and so does everybody afterwards.
Scenario looking(const char* name, Values values, Actors holders, Values left,
                 std::function<long(Actor&)> operation, long expected = 0) {
  const int count = static_cast<int>(holders.size());
  return {.name = name,
          .setup = set_with(std::move(values)),
          .sleepers = std::move(holders),
          .doomed = count,
          .operation = std::move(operation),
          .expected = expected,
          .verify =
              [left](Actor& actor) {
                expect_values(actor, left, "when the dead are buried");
                return Outcome::Absent;
              },
          .verify_end = ends_with(left),
          .is_unordered = true};
}

std::function<long(Actor&)> get_value(int num = 0) {
  return [num](Actor& actor) { return actor.control_set(0, GETVAL, num); };
}

long stat_it(Actor& actor) {
  struct semid_ds stat;
  const long error = actor.control_set(0, IPC_STAT, 0, reinterpret_cast<unsigned long>(&stat));
  return error != 0 ? error : stat.sem_nsems;
}

// ---------------------------------------------------------------- ways to lock the set

void add_ways(std::vector<Scenario>& scenarios) {
  const Actors one = {holder({{0, -2, kUndo}, {1, 1, kUndo}})};
  const Values values = {5, 0};
  scenarios.push_back(looking("bury-getval", values, one, values, get_value(), 5));
  scenarios.push_back(looking("bury-zombie", values, one, values, get_value(), 5));
  scenarios.back().are_zombies = true;
  scenarios.push_back(looking("bury-stat", values, one, values, stat_it, 2));
  scenarios.push_back(looking("bury-proc-text", values, one, values,
                              [](Actor& actor) { return actor.read_proc_sem() > 0 ? 0L : -1L; }));
  scenarios.push_back(looking("bury-get", values, one, values, [](Actor& actor) {
    return ipcell::sys_semget(actor.task, kKey, 2, 0);
  }));
  scenarios.back().setup = [values](Actor& actor) { actor.make_set(0, values, kKey); };
  // Only what the dead give back makes it possible.
  scenarios.push_back(changing(
      "bury-semop",
      {.before = values, .after = {0, 0}, .operation = doing({{0, -5, 0}}), .results = {kHolds}},
      one, 1));
  scenarios.push_back(
      changing("bury-setval",
               {.before = values,
                .after = {9, 0},
                .operation = [](Actor& actor) { return actor.control_set(0, SETVAL, 0, 9); },
                .results = {kHolds},
                .at_end = {9, 0}},
               one, 1));
  // The adjustments are the victim's own as well.
  scenarios.push_back(looking("bury-semop-undo", values, one, values, doing({{0, -5, kUndo}})));
  scenarios.back().verify = [values](Actor& actor) {
    const bool stays = !actor.board.victim.has_ended;
    const Values found = actor.values(0);
    actor.expect(found == values || (stays && found == Values{0, 0}), "the first value is %d",
                 found[0]);
    return Outcome::Absent;
  };
}

// ---------------------------------------------------------------- what there is to undo

void add_amounts(std::vector<Scenario>& scenarios) {
  // None, for it took it back itself: only the time of the last semop shows the end.
  scenarios.push_back(
      looking("bury-nothing", {5}, {holder({{0, -2, kUndo}, {0, 2, kUndo}})}, {5}, stat_it, 1));
  scenarios.push_back(looking("bury-clamped", {0}, {holder({{0, 3, kUndo}})}, {0}, get_value(), 0));
  scenarios.back().sleepers.push_back(holder({{0, -2, 0}}));
  // Several, of which some undo what others did.
  scenarios.push_back(looking("bury-several", {5, 5},
                              {holder({{0, -5, kUndo}}), holder({{1, -3, kUndo}, {0, 2, kUndo}}),
                               holder({{0, -1, kUndo}, {1, 1, kUndo}})},
                              {5, 5}, get_value(1), 5));
  // More than one transaction takes, in an array of their own.
  const Values many_values = values_of(132, 3);
  scenarios.push_back(looking("bury-many", many_values, {holder(many(132, -1, SEM_UNDO))},
                              many_values, get_value(131), 3));
  // Adjustments that a SETVAL has made void.
  scenarios.push_back(looking("bury-void", {5, 5}, {holder({{0, -2, kUndo}, {1, -2, kUndo}})},
                              {7, 5}, get_value(1), 5));
  scenarios.back().sleepers.push_back([](Actor& actor) {
    actor.expect(actor.control_set(0, SETVAL, 0, 7) == 0, "no SETVAL");
    return holder({})(actor);
  });
}

// ---------------------------------------------------------------- whom it lets go on

// The first `doomed` are holders, dead; whoever looks lets the others go on.
Scenario waking(const char* name, Values values, Values left, std::vector<long> results,
                Actors sleepers, int doomed, Values at_end = {}) {
  Scenario scenario = changing(name,
                               {.after = left,
                                .operation = get_value(),
                                .expected = left[0],
                                .results = std::move(results),
                                .at_end = std::move(at_end)},
                               std::move(sleepers), doomed);
  scenario.setup = set_with(std::move(values));
  return scenario;
}

void add_waking(std::vector<Scenario>& scenarios) {
  scenarios.push_back(waking("bury-wakes", {5, 0}, {0, 0}, {kHolds, 0, kSleepsOn},
                             {holder({{0, -2, kUndo}}), doing({{0, -5, 0}}), doing({{1, -1, 0}})},
                             1));
  scenarios.push_back(
      waking("bury-wakes-zero", {0, 0}, {0, 0}, {kHolds, 0, 0},
             {holder({{0, 1, kUndo}}), doing({{0, 0, 0}, {1, 0, 0}}), doing({{0, 0, 0}})}, 1));
  // Whom the first of the dead lets go on is dead too; what it held as well.
  scenarios.push_back(waking("bury-wakes-dead", {1, 3}, {0, 3}, {kHolds, kHolds, 0},
                             {holder({{0, -1, kUndo}}),
                              [](Actor& actor) {
                                actor.expect(actor.semop(0, {{1, -1, kUndo}}) == 0, "no semop");
                                return actor.semop(0, {{0, -1, kUndo}});
                              },
                              doing({{0, -1, 0}})},
                             2));
  // And one that lives: armed by the burial of another.
  scenarios.push_back(
      waking("bury-arms", {1, 0}, {0, 0}, {kHolds, 0, kSleepsOn},
             {holder({{0, -1, kUndo}}), doing({{0, -1, kUndo}}), doing({{0, -1, 0}, {1, -1, 0}})},
             1, {1, 0}));
}

}  // namespace

void add_undo_scenarios(std::vector<Scenario>& scenarios) {
  add_ways(scenarios);
  add_amounts(scenarios);
  add_waking(scenarios);
}

}  // namespace crash
