// semop that has to wait: the victim goes to sleep, and is let go on, told an error, or gives up.
#include <signal.h>
#include <unistd.h>

#include "tests/crash/sem_tools.h"
#include "tests/crash/tracee.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

struct Block {
  Values values;
  Ops ops;
  Ops awaken;         // the survivor's, when the victim sleeps
  Values left;        // when the victim was let go on, and is dead
  Values left_alone;  // when it was not
  long expected = 0;
};

void expect_nobody_waits(Actor& actor, std::size_t sleepers) {
  const ipcell::SemSetRec& set = actor.set_record(0);
  actor.expect(set.waiters == sleepers, "%u wait, and not %zu", set.waiters, sleepers);
}

// The operation was the survivor's to complete: it was if the survivor made its own.
Scenario blocking(const char* name, Block block, std::vector<Ops> others = {}) {
  Scenario scenario = {.name = name,
                       .setup = set_with(block.values),
                       .operation = doing(block.ops),
                       .expected = block.expected,
                       .awaken =
                           [ops = block.awaken](Actor& actor) {
                             actor.expect(actor.semop(0, ops) == 0, "the survivor's semop fails");
                           },
                       .verify =
                           [=, count = others.size()](Actor& actor) {
                             const bool has_woken = actor.board.was_awakened;
                             expect_values(actor, has_woken ? block.left : block.left_alone,
                                           has_woken ? "when the victim was woken"
                                                     : "when the victim was not woken");
                             expect_nobody_waits(actor, count);
                             actor.let_sleepers_go();
                             std::vector<int> sleepers;
                             for (std::size_t n = 0; n < count; ++n)
                               sleepers.push_back(static_cast<int>(n));
                             remove_set(actor, sleepers);
                             return has_woken ? Outcome::Whole : Outcome::Absent;
                           }};
  for (Ops& ops : others) scenario.sleepers.push_back(doing(std::move(ops)));
  return scenario;
}

// Nobody lets the victim go on: at its end nothing has changed.
Scenario leaving(const char* name, Values values, Ops ops, std::vector<Ops> others) {
  Scenario scenario = blocking(name, {values, std::move(ops), {}, values, values}, others);
  scenario.awaken = nullptr;
  scenario.is_unordered = true;
  return scenario;
}

Scenario expiring(const char* name, Values values, Ops ops, std::vector<Ops> others = {}) {
  Scenario scenario = leaving(name, std::move(values), ops, std::move(others));
  scenario.operation = [ops](Actor& actor) {
    const struct timespec at_once = {0, 1};
    return actor.semop(0, ops, &at_once);
  };
  scenario.expected = -EAGAIN;
  return scenario;
}

// A signal's handler takes the operation back.
Scenario interrupted(const char* name, Values values, Ops ops, std::vector<Ops> others = {}) {
  Scenario scenario = leaving(name, std::move(values), ops, std::move(others));
  scenario.prepare = [ops](Actor& actor) { actor.me.result = actor.semop(0, ops); };
  scenario.operation = [](Actor& actor) { return ipcell::interrupt_wait(actor.task) ? 1L : 0L; };
  scenario.is_signalled = true;
  scenario.expected = -EINTR;
  return scenario;
}

// ---------------------------------------------------------------- told by other things than semop

Scenario removed() {
  Scenario scenario = blocking("block-eidrm", {{0}, {{0, -1, 0}}, {}, {}, {0}, -EIDRM});
  scenario.awaken = [](Actor& actor) { remove_set(actor, {}); };
  scenario.verify = [verify = scenario.verify](Actor& actor) {
    if (!actor.board.was_awakened) return verify(actor);
    actor.expect(actor.control_set(0, GETVAL) == -EINVAL, "the removed set is there");
    return Outcome::Whole;
  };
  return scenario;
}

// The holder's death lets the victim go on, which has to see to that itself.
void kill_holder(Actor& actor) {
  const pid_t pid = actor.board.sleepers[0].pid;
  kill(pid, SIGKILL);
  while (thread_state(pid) != 'Z') usleep(100);
}

Scenario held(const char* name, Ops ops, Values left) {
  Scenario scenario = {.name = name,
                       .setup = set_with({1, 0}),
                       .sleepers = {holder({{0, -1, kUndo}})},
                       .operation = doing(std::move(ops)),
                       .awaken = kill_holder,
                       .is_unordered = true};
  scenario.verify = [left](Actor& actor) {
    if (!actor.board.was_awakened) {
      expect_values(actor, {0, 0}, "while the holder lives");
      kill_holder(actor);
    }
    // If the victim did not go on the unit is there.
    const Values found = actor.values(0);
    const bool is_back = found == Values{1, 0};
    actor.expect(is_back || (actor.board.was_awakened && found == left), "the value is %d,%d",
                 found[0], found[1]);
    expect_nobody_waits(actor, 0);
    return is_back ? Outcome::Absent : Outcome::Whole;
  };
  return scenario;
}

}  // namespace

void add_sem_block_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(blocking("block", {{0}, {{0, -1, 0}}, {{0, 1, 0}}, {0}, {0}}));
  scenarios.push_back(blocking("block-zero", {{1}, {{0, 0, 0}}, {{0, -1, 0}}, {0}, {1}}));
  // What the victim took in its sleep is given back.
  scenarios.push_back(blocking("block-undo", {{0}, {{0, -1, kUndo}}, {{0, 1, 0}}, {1}, {0}}));
  scenarios.back().verify = [verify = scenarios.back().verify](Actor& actor) {
    if (actor.board.victim.has_ended || !actor.board.was_awakened) return verify(actor);
    expect_values(actor, {0}, "while the victim's process lives");
    return Outcome::Whole;
  };
  const std::vector<Ops> others = {{{1, -1, 0}}, {{2, -2, 0}}, {{1, -1, 0}}};
  const Ops several = {{0, -1, 0}, {3, -1, 0}};
  // Those who wait for one semaphore are put before it, and get their own lists back.
  scenarios.push_back(blocking(
      "block-complex", {{0, 0, 0, 0}, several, {{0, 1, 0}, {3, 1, 0}}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      others));
  scenarios.push_back(blocking(
      "block-complex-zero",
      {{1, 1}, {{0, 0, 0}, {1, 0, 0}}, {{0, -1, 0}, {1, -1, 0}}, {0, 0}, {1, 1}}, {{{0, -4, 0}}}));
  scenarios.push_back(removed());
  scenarios.push_back(held("block-holder", {{0, -1, 0}}, {0, 0}));
  scenarios.push_back(held("block-holder-complex", {{0, -1, 0}, {1, 1, 0}}, {0, 1}));

  scenarios.push_back(expiring("expire", {0}, {{0, -1, 0}}));
  scenarios.push_back(expiring("expire-undo", {0}, {{0, -1, kUndo}}));
  scenarios.push_back(expiring("expire-complex", {0, 0, 0, 0}, several, others));
  scenarios.push_back(interrupted("interrupt-semop", {0}, {{0, -1, 0}}));
  scenarios.push_back(interrupted("interrupt-semop-complex", {0, 0, 0, 0}, several, others));
}

}  // namespace crash
