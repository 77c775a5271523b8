// mq_send: into the queue, to waiting receivers, and asleep.
#include <cerrno>

#include "tests/crash/mqueue_tools.h"

namespace crash {

namespace {

constexpr Message kNew = {5, 100, 9};
constexpr Message kNext = {5, 60, 20};  // what the survivor sends afterwards
const Messages kThree = {{5, 30, 1}, {2, 40, 2}, {9, 50, 3}};

long send_loaded(Actor& actor) { return actor.mq_send_loaded(0); }

Scenario sending(const char* name, const Messages& before, const Message& message) {
  return mq_scenario(name, before, warm_up(message), send_loaded, [=](Actor& actor) {
    return expect_mqueue(actor, before, with(before, message));
  });
}

void add_plain(std::vector<Scenario>& scenarios) {
  scenarios.push_back(sending("mq-send-first", {}, kNew));
  scenarios.push_back(sending("mq-send-same", {{5, 30, 1}}, kNew));
  scenarios.push_back(sending("mq-send-higher", {{3, 30, 1}, {2, 10, 2}}, kNew));
  scenarios.push_back(sending("mq-send-lower", {{9, 30, 1}}, kNew));
  scenarios.push_back(sending("mq-send-lower-same", {{9, 30, 1}, {5, 20, 2}}, kNew));
  scenarios.push_back(
      sending("mq-send-deep", {{32767, 1, 1}, {7, 1, 2}, {6, 1, 3}, {4, 1, 4}}, kNew));
  scenarios.push_back(sending("mq-send-empty", kThree, {1, 0, 0}));
  scenarios.push_back(sending("mq-send-long", kThree, {7, 20000, 9}));
  // Without free blocks of its own.
  scenarios.push_back(sending("mq-send-cold", kThree, kNew));
  scenarios.back().prepare = [](Actor& actor) {
    open_both(actor);
    actor.load(kNew);
  };
}

// ---------------------------------------------------------------- to waiting receivers

// Sleeper `taker` gets the message, or nobody does.
Outcome verify_handoff(Actor& actor, int taker) {
  const bool has_taken = !actor.is_waiting(taker);
  actor.expect(actor.mqueue_record(0).top_first == 0, "the message is beside its receiver");
  actor.let_sleepers_go();
  if (has_taken) {
    actor.expect_received(taker, kNew);
    return Outcome::Whole;
  }
  actor.expect(actor.mq_send(0, kNext) == 0, "the survivor cannot send");
  actor.expect_received(taker, kNext);
  return Outcome::Absent;
}

// The second receiver was served if the first was not.
Outcome verify_two(Actor& actor) {
  const Outcome outcome = verify_handoff(actor, 0);
  actor.expect(actor.is_waiting(1), "the second receiver was served");
  actor.expect(actor.mq_send(0, {1, 7, 40}) == 0, "the survivor cannot send");
  actor.expect_received(1, {1, 7, 40});
  return outcome;
}

void add_handoffs(std::vector<Scenario>& scenarios) {
  const auto add = [&](const char* name, int receivers, int doomed,
                       std::function<Outcome(Actor&)> verify) {
    scenarios.push_back(mq_scenario(name, {}, warm_up(kNew), send_loaded, std::move(verify)));
    for (int n = 0; n < receivers; ++n) scenarios.back().sleepers.push_back(mq_receiver());
    scenarios.back().doomed = doomed;
  };
  add("mq-send-handoff", 1, 0, [](Actor& actor) { return verify_handoff(actor, 0); });
  add("mq-send-handoff-2", 2, 0, verify_two);
  add("mq-send-past-dead", 2, 1, [](Actor& actor) { return verify_handoff(actor, 1); });
  add("mq-send-to-dead", 1, 1, [](Actor& actor) { return expect_mqueue(actor, {}, {kNew}); });
}

// ---------------------------------------------------------------- full

constexpr Message kFull = {3, 100, 1};

void add_full(std::vector<Scenario>& scenarios) {
  // The survivor's receive admits the sleeper: from then on its message is in.
  Scenario blocking = mq_scenario(
      "mq-send-blocking", {kFull}, warm_up(kNew), send_loaded,
      [](Actor& actor) {
        const Messages expected = {actor.board.was_awakened ? kNew : kFull};
        (void)expect_mqueue(actor, expected, expected);
        return actor.board.was_awakened ? Outcome::Whole : Outcome::Absent;
      },
      1);
  blocking.awaken = [](Actor& actor) {
    actor.expect(actor.mq_receive(0) == 100, "the survivor cannot receive");
  };
  scenarios.push_back(blocking);
  const auto verify = [](Actor& actor) { return expect_mqueue(actor, {kFull}, {kFull}); };
  scenarios.push_back(unordered(mq_scenario(
      "mq-send-full", {kFull}, warm_up(kNew),
      [](Actor& actor) {
        const struct timespec past = {0, 0};
        return actor.mq_send_loaded(0, &past);
      },
      verify, 1)));
  scenarios.back().expected = -ETIMEDOUT;
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-expire-send";
  scenarios.back().operation = [](Actor& actor) {
    const struct timespec deadline = shortly();
    return actor.mq_send_loaded(0, &deadline);
  };
  // Taken back by a signal's handler.
  scenarios.push_back(unordered(mq_scenario(
      "mq-interrupt-send", {kFull},
      [](Actor& actor) {
        warm_up(kNew)(actor);
        actor.me.result = actor.mq_send_loaded(0);
      },
      [](Actor& actor) { return ipcell::interrupt_wait(actor.task) ? 1L : 0L; }, verify, 1)));
  scenarios.back().is_signalled = true;
  scenarios.back().expected = -EINTR;
}

}  // namespace

void add_mqueue_send_scenarios(std::vector<Scenario>& scenarios) {
  add_plain(scenarios);
  add_handoffs(scenarios);
  add_full(scenarios);
}

}  // namespace crash
