// mq_receive: from the queue, with senders that wait, and asleep.
#include <cerrno>

#include "tests/crash/mqueue_tools.h"

namespace crash {

namespace {

constexpr Message kNext = {5, 60, 20};

long receive_raw(Actor& actor) { return actor.mq_receive_raw(0); }

Scenario receiving(const char* name, const Messages& before) {
  const Message taken = by_priority(before).front();
  Messages after = by_priority(before);
  after.erase(after.begin());
  Scenario scenario = mq_scenario(name, before, open_both, receive_raw, [=](Actor& actor) {
    return expect_mqueue(actor, before, after);
  });
  scenario.expected = taken.size;
  return scenario;
}

// A sender waits at the full queue: its message comes in as the first goes out.
Scenario admitting(const char* name, const Messages& before, const Message& waiting,
                   int doomed = 0) {
  Scenario scenario = receiving(name, before);
  Messages after = by_priority(before);
  after.erase(after.begin());
  after.push_back(waiting);
  const int sender = doomed;
  scenario.setup = mqueues_with(before, static_cast<long>(before.size()));
  for (int n = 0; n < doomed; ++n) scenario.sleepers.push_back(mq_sender({9, 10, 70}));
  scenario.sleepers.push_back(mq_sender(waiting));
  scenario.doomed = doomed;
  scenario.prepare = warm_up(waiting);
  scenario.verify = [=](Actor& actor) {
    const bool is_in = !actor.is_waiting(sender);
    actor.let_sleepers_go();
    // The survivor's receiving admits the sender, if the victim's did not.
    const Messages found = actor.mq_drain(0);
    const long result = actor.result_of(sender);
    actor.expect(result == 0, "the sender returned %ld", result);
    Messages absent = by_priority(before);
    const Message first = absent.front();
    absent.erase(absent.begin());
    absent = by_priority(with(absent, waiting));
    absent.insert(absent.begin(), first);
    actor.expect(found == (is_in ? by_priority(after) : absent), "the queue held %zu messages",
                 found.size());
    return is_in ? Outcome::Whole : Outcome::Absent;
  };
  return scenario;
}

void add_plain(std::vector<Scenario>& scenarios) {
  scenarios.push_back(receiving("mq-receive-only", {{5, 30, 1}}));
  scenarios.push_back(receiving("mq-receive-same", {{5, 30, 1}, {5, 20, 2}, {1, 10, 3}}));
  scenarios.push_back(receiving("mq-receive-raise", {{9, 30, 1}, {5, 20, 2}, {1, 10, 3}}));
  // The highest run has others below it: a leaf gets its place in the tree.
  scenarios.push_back(receiving("mq-receive-raise-inner",
                                {{32767, 3, 1}, {20000, 3, 2}, {17000, 3, 3}, {17500, 3, 4}}));
  scenarios.push_back(receiving("mq-receive-empty", {{5, 0, 0}, {4, 7, 2}}));
  scenarios.push_back(receiving("mq-receive-long", {{5, 20000, 1}, {4, 7, 2}}));
}

void add_admitting(std::vector<Scenario>& scenarios) {
  const Messages two = {{5, 30, 1}, {5, 20, 2}};
  scenarios.push_back(admitting("mq-admit-same", two, {5, 50, 9}));
  scenarios.push_back(admitting("mq-admit-higher", two, {8, 50, 9}));
  scenarios.push_back(admitting("mq-admit-lower", two, {3, 50, 9}));
  scenarios.push_back(admitting("mq-admit-raise", {{5, 30, 1}, {2, 20, 2}}, {3, 50, 9}));
  scenarios.push_back(admitting("mq-admit-only", {{5, 30, 1}}, {3, 20000, 9}));
  scenarios.push_back(admitting("mq-admit-past-dead", two, {3, 50, 9}, 1));
}

void add_blocking(std::vector<Scenario>& scenarios) {
  // What was handed over goes with the dead.
  const auto verify = [](Actor& actor) {
    actor.expect(actor.mq_send(0, kNext) == 0, "the survivor cannot send");
    (void)expect_mqueue(actor, {kNext}, {kNext});
    return actor.board.was_awakened ? Outcome::Whole : Outcome::Absent;
  };
  Scenario blocking = mq_scenario("mq-receive-blocking", {}, open_both, receive_raw, verify);
  blocking.expected = 70;
  blocking.awaken = [](Actor& actor) {
    actor.expect(actor.mq_send(0, {4, 70, 8}) == 0, "the survivor cannot send");
  };
  scenarios.push_back(blocking);
  scenarios.push_back(unordered(mq_scenario(
      "mq-receive-nothing", {}, open_both,
      [](Actor& actor) {
        const struct timespec past = {0, 0};
        return actor.mq_receive_raw(0, &past);
      },
      verify)));
  scenarios.back().expected = -ETIMEDOUT;
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-expire-receive";
  scenarios.back().operation = [](Actor& actor) {
    const struct timespec deadline = shortly();
    return actor.mq_receive_raw(0, &deadline);
  };
  scenarios.push_back(unordered(mq_scenario(
      "mq-interrupt-receive", {},
      [](Actor& actor) {
        open_both(actor);
        actor.me.result = actor.mq_receive_raw(0);
      },
      [](Actor& actor) { return ipcell::interrupt_wait(actor.task) ? 1L : 0L; }, verify)));
  scenarios.back().is_signalled = true;
  scenarios.back().expected = -EINTR;
}

}  // namespace

void add_mqueue_receive_scenarios(std::vector<Scenario>& scenarios) {
  add_plain(scenarios);
  add_admitting(scenarios);
  add_blocking(scenarios);
}

}  // namespace crash
