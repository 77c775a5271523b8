// semop that lets sleepers go on: whom, in which order, and what they are told.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

using Sleepers = std::vector<Ops>;

Scenario waking(const char* name, Values before, Ops ops, Values after, Sleepers sleepers,
                std::vector<long> results, Values at_end = {}) {
  Actors actors;
  for (Ops& sleeper : sleepers) actors.push_back(doing(std::move(sleeper)));
  return changing(name,
                  {.before = std::move(before),
                   .after = std::move(after),
                   .operation = doing(std::move(ops)),
                   .results = std::move(results),
                   .at_end = std::move(at_end)},
                  std::move(actors));
}

void add_simple(std::vector<Scenario>& scenarios) {
  scenarios.push_back(waking("wake-1", {0}, {{0, 1, 0}}, {0}, {{{0, -1, 0}}}, {0}));
  scenarios.push_back(waking("wake-fifo", {0}, {{0, 3, 0}}, {0},
                             {{{0, -1, 0}}, {{0, -2, 0}}, {{0, -1, 0}}}, {0, 0, kSleepsOn}));
  // The first needs more than there is: those behind it need not wait for it.
  scenarios.push_back(
      waking("wake-past", {0}, {{0, 2, 0}}, {1}, {{{0, -3, 0}}, {{0, -1, 0}}}, {kSleepsOn, 0}));
  scenarios.push_back(
      waking("wake-past-dead", {0}, {{0, 1, 0}}, {0}, {{{0, -1, 0}}, {{0, -1, 0}}}, {kHolds, 0}));
  scenarios.back().doomed = 1;
  scenarios.push_back(waking("wake-zero", {1, 1}, {{0, -1, 0}}, {0, 1},
                             {{{0, 0, 0}}, {{0, 0, 0}}, {{1, 0, 0}}}, {0, 0, kSleepsOn}));
  // Who waits for 0 sees it before who waits to add has done so.
  scenarios.push_back(waking("wake-zero-first", {1, 0}, {{0, -1, 0}, {1, 1, 0}}, {1, 0},
                             {{{1, -1, 0}, {0, 1, 0}}, {{0, 0, 0}}}, {0, 0}));
  scenarios.push_back(
      waking("wake-8", {8}, {{0, -8, 0}}, {0}, Sleepers(8, {{0, 0, 0}}), std::vector<long>(8, 0)));
}

void add_complex(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      waking("wake-complex", {0, 1}, {{0, 1, 0}}, {0, 0}, {{{0, -1, 0}, {1, -1, 0}}}, {0}));
  // The second's operations let the first go on.
  scenarios.push_back(waking("wake-chain", {0, 0, 0}, {{1, 1, 0}, {2, 1, 0}}, {0, 0, 0},
                             {{{0, -1, 0}, {1, -1, 0}}, {{2, -1, 0}, {0, 1, 0}}}, {0, 0}));
  // The last that waits for several goes on: the others' lists are parted again.
  scenarios.push_back(waking("wake-unmerge", {0, 0, 0}, {{0, 2, 0}}, {1, 0, 0},
                             {{{1, -1, 0}}, {{2, -2, 0}}, {{0, -2, 0}, {0, 1, 0}}, {{1, -1, 0}}},
                             {kSleepsOn, kSleepsOn, 0, kSleepsOn}));
  scenarios.push_back(waking(
      "wake-mixed", {0, 0, 1}, {{0, 3, 0}, {1, 1, 0}, {2, -1, 0}}, {0, 0, 0},
      {{{0, -1, 0}}, {{1, -1, 0}, {0, -1, 0}}, {{0, -1, 0}}, {{2, 0, 0}}, {{1, -1, 0}, {2, -1, 0}}},
      {0, 0, 0, 0, kSleepsOn}));
  scenarios.push_back(waking("wake-complex-zero", {1, 1}, {{0, -1, 0}, {1, -1, 0}}, {0, 0},
                             {{{0, 0, 0}, {1, 0, 0}}, {{1, 0, 0}}}, {0, 0}));
  // Told an error, of an operation behind the one that it waited for.
  scenarios.push_back(
      waking("wake-erange", {0, 1}, {{0, 1, 0}}, {1, 1}, {{{0, -1, 0}, {1, 32767, 0}}}, {-ERANGE}));
  scenarios.push_back(waking("wake-again", {0, 0}, {{0, 1, 0}}, {0, 0},
                             {{{0, -1, 0}, {1, -1, IPC_NOWAIT}}, {{0, -1, 0}}}, {-EAGAIN, 0}));
}

// What sleepers hold is given back when they have died as well.
void add_undoing(std::vector<Scenario>& scenarios) {
  scenarios.push_back(waking("wake-undo", {0}, {{0, 1, 0}}, {0}, {{{0, -1, kUndo}}}, {0}, {1}));
  scenarios.push_back(waking("wake-undo-complex", {0, 2}, {{0, 3, 0}}, {0, 0},
                             {{{0, -1, kUndo}, {1, -2, kUndo}}, {{0, -2, kUndo}}}, {0, 0}, {3, 2}));
  Values large = values_of(20, 0);
  Values given = large;
  given[18] = 1;
  scenarios.push_back(
      waking("wake-undo-large", large, {{18, 1, 0}}, large, {{{18, -1, kUndo}}}, {0}, given));
}

// The dead one was the last that waited for several: whoever reaps it parts the lists.
void add_reaping(std::vector<Scenario>& scenarios) {
  scenarios.push_back(waking("reap-semop", {0, 0}, {}, {0, 0},
                             {{{0, -1, 0}, {1, -1, 0}}, {{0, -1, 0}}, {{1, -1, 0}}, {{0, -1, 0}}},
                             {kHolds, kHolds, kSleepsOn, kSleepsOn}));
  Scenario& reaping = scenarios.back();
  reaping.doomed = 2;
  reaping.operation = reap;
  reaping.verify = [](Actor& actor) {
    expect_values(actor, {0, 0}, "when the dead sleepers are reaped");
    actor.expect(actor.set_record(0).merged == 0, "the lists are still merged");
    actor.let_sleepers_go();
    remove_set(actor, {2, 3});
    return Outcome::Whole;
  };
}

}  // namespace

void add_sem_wake_scenarios(std::vector<Scenario>& scenarios) {
  add_simple(scenarios);
  add_complex(scenarios);
  add_undoing(scenarios);
  add_reaping(scenarios);
}

}  // namespace crash
