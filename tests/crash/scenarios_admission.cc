// msgrcv that makes room: blocked senders get in, in the kernel's order.
#include "tests/crash/scenario.h"

namespace crash {

namespace {

long receive_one(Actor& actor) { return actor.receive_raw(0, 8192, 1); }

bool are_waiting(Actor& actor, std::vector<int> sleepers, bool expected) {
  for (int sleeper : sleepers) {
    if (actor.is_waiting(sleeper) != expected) return false;
  }
  return true;
}

// Whether the victim's receive happened shows in the first message, which it took.
Outcome outcome_of(const Messages& found, const Message& taken) {
  return !found.empty() && found.front() == taken ? Outcome::Absent : Outcome::Whole;
}

// ---------------------------------------------------------------- one sender

constexpr Message kFull = {1, 100, 1};
constexpr Message kBlocked = {1, 50, 9};

Outcome verify_one(Actor& actor, int sleeper) {
  const bool is_in = !actor.is_waiting(sleeper);
  actor.let_sleepers_go();
  const Outcome outcome = is_in ? Outcome::Whole : Outcome::Absent;
  if (!is_in) {
    actor.expect(actor.receive(0, 8192) == 100, "the old message is gone, its room was not used");
  }
  actor.expect(actor.result_of(sleeper) == 0, "the blocked sender failed");
  expect_messages(actor, 0, {kBlocked});
  return outcome;
}

// ---------------------------------------------------------------- three, of which two fit

const Messages kTwo = {{1, 60, 1}, {2, 40, 2}};
constexpr Message kFirst = {3, 50, 11}, kLarge = {3, 70, 12}, kThird = {3, 5, 13},
                  kLast = {3, 4, 14};

// After the first message: 40 bytes are in, 60 are free. The fitting ones enter in their order, the
// large one goes to the end and waits.
Outcome verify_three(Actor& actor) {
  const bool is_in = !actor.is_waiting(0);
  actor.expect(are_waiting(actor, {0, 2, 3}, !is_in),
               "some of the fitting senders are in, others are not");
  actor.expect(actor.is_waiting(1), "a sender is in although its message does not fit");
  actor.let_sleepers_go();
  Messages found;
  while (found.size() < 6) {
    actor.expect(actor.receive(0, 8192, 0, found.size() < 5 ? 0 : IPC_NOWAIT) >= 0,
                 "a message is missing after %zu", found.size());
    found.push_back(actor.me.message);
    if (is_in && found.size() == 5) break;
  }
  for (int sleeper : {0, 1, 2, 3}) {
    actor.expect(actor.result_of(sleeper) == 0, "blocked sender %d failed", sleeper);
  }
  Messages expected = {kTwo[1], kFirst, kThird, kLast, kLarge};
  if (!is_in) expected.insert(expected.begin(), kTwo[0]);
  actor.expect(found == expected, "the messages came in another order, or not all, or twice");
  return outcome_of(found, kTwo[0]);
}

// ---------------------------------------------------------------- one whose message meets a
// receiver

// Sleeper 0 waits for type 2. Sender 1's message of type 2 goes right to it, the next one's into
// the queue.
Outcome verify_through(Actor& actor) {
  const bool is_in = !actor.is_waiting(1);
  actor.expect(actor.is_waiting(0) != is_in,
               "the message that was let in did not reach its receiver");
  actor.let_sleepers_go();
  if (!is_in) actor.expect(actor.receive(0, 8192, 1) == 100, "the old message is gone");
  actor.expect_received(0, {2, 50, 9});
  for (int sender : {1, 2})
    actor.expect(actor.result_of(sender) == 0, "blocked sender %d failed", sender);
  expect_messages(actor, 0, {{3, 60, 10}});
  return is_in ? Outcome::Whole : Outcome::Absent;
}

// The same, but the receiver's buffer is too small: it is told so, and both messages are in the
// queue.
Outcome verify_through_too_big(Actor& actor) {
  const bool is_in = !actor.is_waiting(1);
  actor.expect(actor.is_waiting(0) != is_in, "the receiver was %stold E2BIG", is_in ? "not " : "");
  actor.expect(actor.is_waiting(2) != is_in, "the second sender was %slet in", is_in ? "not " : "");
  actor.let_sleepers_go();
  if (!is_in) actor.expect(actor.receive(0, 8192, 1) == 100, "the old message is gone");
  actor.expect(actor.result_of(0) == -E2BIG, "the small receiver was not told E2BIG");
  for (int sender : {1, 2})
    actor.expect(actor.result_of(sender) == 0, "blocked sender %d failed", sender);
  expect_messages(actor, 0, {{2, 50, 9}, {3, 40, 10}});
  return is_in ? Outcome::Whole : Outcome::Absent;
}

Scenario admitting(const char* name, Messages messages,
                   std::vector<std::function<long(Actor&)>> sleepers, int doomed,
                   std::function<Outcome(Actor&)> verify) {
  const long expected = messages.front().size;
  return {.name = name,
          .setup = queue_with(messages, 100),
          .sleepers = std::move(sleepers),
          .doomed = doomed,
          .operation = receive_one,
          .expected = expected,
          .verify = std::move(verify)};
}

}  // namespace

void add_admission_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(admitting("admit-1", {kFull}, {sender(kBlocked)}, 0,
                                [](Actor& actor) { return verify_one(actor, 0); }));
  scenarios.push_back(admitting("admit-past-dead", {kFull}, {sender({1, 60, 5}), sender(kBlocked)},
                                1, [](Actor& actor) { return verify_one(actor, 1); }));
  scenarios.push_back(admitting("admit-3", kTwo,
                                {sender(kFirst), sender(kLarge), sender(kThird), sender(kLast)}, 0,
                                verify_three));
  scenarios.push_back(admitting("admit-to-receiver", {kFull},
                                {receiver(8192, 2), sender({2, 50, 9}), sender({3, 60, 10})}, 0,
                                verify_through));
  scenarios.push_back(admitting("admit-e2big", {kFull},
                                {receiver(10, 2), sender({2, 50, 9}), sender({3, 40, 10})}, 0,
                                verify_through_too_big));
}

}  // namespace crash
