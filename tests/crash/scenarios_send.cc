// msgsnd: into the queue, to waiting receivers, and asleep.
#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr Message kOld = {1, 30, 1};
constexpr Message kNew = {5, 100, 9};
constexpr Message kNext = {5, 60, 20};  // what the survivor sends afterwards

long send_loaded(Actor& actor) { return actor.send_loaded(0); }

Scenario plain_send(const char* name, const Message& message, Messages before) {
  Messages after = before;
  after.push_back(message);
  return {.name = name,
          .setup = queue_with(before, kMaxText),
          .prepare = warm_and_load(message),
          .operation = send_loaded,
          .verify = [before, after](Actor& actor) {
            const int sender = actor.stat(0).msg_lspid;
            const Outcome outcome = expect_either(actor, 0, before, after);
            actor.expect((sender == actor.board.victim.pid) == (outcome == Outcome::Whole),
                         "lspid is not the last sender's");
            return outcome;
          }};
}

// ---------------------------------------------------------------- to waiting receivers

// Sleeper `taker` gets the message, or nobody does.
Outcome verify_handoff(Actor& actor, int taker, const Message& message) {
  const bool has_taken = !actor.is_waiting(taker);
  actor.expect(actor.count(0) == 0, "the message is in the queue beside its receiver");
  actor.let_sleepers_go();
  if (has_taken) {
    actor.expect_received(taker, message);
    return Outcome::Whole;
  }
  Message next = message;
  next.tag = kNext.tag;
  actor.expect(actor.send(0, next) == 0, "the survivor cannot send");
  actor.expect_received(taker, next);
  return Outcome::Absent;
}

// Receivers of the types 1, 2 and 3: the second gets it; the others are served afterwards.
Outcome verify_by_type(Actor& actor) {
  const Outcome outcome = verify_handoff(actor, 1, {2, 100, 9});
  for (int sleeper : {0, 2}) {
    actor.expect(actor.is_waiting(sleeper), "receiver %d was woken", sleeper);
    const Message own = {sleeper + 1, 10, static_cast<std::uint8_t>(30 + sleeper)};
    actor.expect(actor.send(0, own) == 0, "the survivor cannot send");
    actor.expect_received(sleeper, own);
  }
  return outcome;
}

constexpr long kTooBig = -E2BIG;

// Receivers 0 and 1 have too small a buffer, 2 wants another type, 3 takes it.
Outcome verify_too_big(Actor& actor) {
  const bool has_taken = !actor.is_waiting(3);
  for (int small : {0, 1}) {
    actor.expect(actor.is_waiting(small) != has_taken,
                 "receiver 3 %s the message, and receiver %d was %s",
                 has_taken ? "got" : "did not get", small, has_taken ? "not told E2BIG" : "told");
  }
  actor.expect(actor.is_waiting(2), "a receiver of another type was woken");
  const Outcome outcome = verify_handoff(actor, 3, kNew);
  for (int small : {0, 1}) {
    const long result = actor.result_of(small);
    actor.expect(result == kTooBig, "receiver %d returned %ld", small, result);
  }
  actor.expect(actor.send(0, {7, 5, 31}) == 0, "the survivor cannot send");
  actor.expect_received(2, {7, 5, 31});
  return outcome;
}

// All receivers are too small: the message stays in the queue.
Outcome verify_all_too_small(Actor& actor) {
  const bool is_queued = actor.count(0) == 1;
  for (int small : {0, 1}) {
    actor.expect(actor.is_waiting(small) != is_queued, "receiver %d waits beside the message",
                 small);
  }
  actor.let_sleepers_go();
  if (!is_queued) actor.expect(actor.send(0, kNext) == 0, "the survivor cannot send");
  for (int small : {0, 1}) actor.expect(actor.result_of(small) == kTooBig, "receiver %d", small);
  return expect_either(actor, 0, {kNext}, {kNew});
}

void add_handoffs(std::vector<Scenario>& scenarios) {
  const auto prepare = warm_and_load(kNew);
  scenarios.push_back({.name = "send-handoff",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192)},
                       .prepare = prepare,
                       .operation = send_loaded,
                       .verify = [](Actor& actor) { return verify_handoff(actor, 0, kNew); }});
  scenarios.push_back({.name = "send-handoff-by-type",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192, 1), receiver(8192, 2), receiver(8192, 3)},
                       .prepare = warm_and_load({2, 100, 9}),
                       .operation = send_loaded,
                       .verify = verify_by_type});
  scenarios.push_back({.name = "send-handoff-past-dead",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192), receiver(8192)},
                       .doomed = 1,
                       .prepare = prepare,
                       .operation = send_loaded,
                       .verify = [](Actor& actor) { return verify_handoff(actor, 1, kNew); }});
  scenarios.push_back({.name = "send-to-dead-receiver",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192)},
                       .doomed = 1,
                       .prepare = prepare,
                       .operation = send_loaded,
                       .verify = [](Actor& actor) { return expect_either(actor, 0, {}, {kNew}); }});
  scenarios.push_back({.name = "send-e2big",
                       .setup = queue_with({}),
                       .sleepers = {receiver(10), receiver(10, 5), receiver(10, 7), receiver(8192)},
                       .prepare = prepare,
                       .operation = send_loaded,
                       .verify = verify_too_big});
  scenarios.push_back({.name = "send-e2big-all",
                       .setup = queue_with({}),
                       .sleepers = {receiver(10), receiver(20, 5)},
                       .prepare = prepare,
                       .operation = send_loaded,
                       .verify = verify_all_too_small});
}

// ---------------------------------------------------------------- asleep

constexpr Message kFull = {1, 100, 1};

Scenario blocking_send(const char* name, std::function<void(Actor&)> awaken, long expected,
                       std::function<Outcome(Actor&)> verify) {
  return {.name = name,
          .setup = queue_with({kFull}, 100),
          .prepare = warm_and_load({5, 50, 9}),
          .operation = send_loaded,
          .expected = expected,
          .awaken = std::move(awaken),
          .verify = std::move(verify)};
}

// The survivor's receive admits the sleeper: from then on its message is in.
Outcome verify_admitted(Actor& actor) {
  if (actor.board.was_awakened) {
    expect_messages(actor, 0, {{5, 50, 9}});
    return Outcome::Whole;
  }
  expect_messages(actor, 0, {kFull});
  return Outcome::Absent;
}

Outcome verify_retried(Actor& actor) {
  return expect_either(actor, 0, {kFull}, {kFull, {5, 50, 9}});
}

Outcome verify_removed(Actor& actor) {
  if (!actor.board.was_awakened) actor.expect(actor.remove(0) == 0, "the queue is gone");
  struct msqid_ds stat;
  actor.expect(ipcell::sys_msgctl(actor.task, actor.board.ids[0], IPC_STAT, &stat) == -EINVAL,
               "the queue is still there");
  return Outcome::Absent;
}

void add_blocking(std::vector<Scenario>& scenarios) {
  scenarios.push_back(blocking_send(
      "send-blocking",
      [](Actor& actor) {
        actor.expect(actor.receive(0, 8192) == 100, "the survivor cannot receive");
      },
      0, verify_admitted));
  scenarios.push_back(blocking_send(
      "send-blocking-retry", [](Actor& actor) { actor.set_qbytes(0, 1000); }, 0, verify_retried));
  Scenario removed = blocking_send(
      "send-blocking-eidrm", [](Actor& actor) { actor.expect(actor.remove(0) == 0, "no removal"); },
      -EIDRM, verify_removed);
  removed.is_unordered = true;
  scenarios.push_back(removed);
}

}  // namespace

void add_send_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(plain_send("send-small", kNew, {kOld}));
  scenarios.push_back(plain_send("send-first", kNew, {}));
  scenarios.push_back(plain_send("send-empty", {2, 0, 0}, {kOld}));
  scenarios.push_back(plain_send("send-8k", {2, 8192, 9}, {kOld}));
  scenarios.push_back(plain_send("send-long", {2, 20000, 9}, {kOld}));
  scenarios.push_back({.name = "send-full",
                       .setup = queue_with({kFull}, 100),
                       .prepare = warm_and_load(kNew),
                       .operation = [](Actor& actor) { return actor.send_loaded(0, IPC_NOWAIT); },
                       .expected = -EAGAIN,
                       .verify = unchanged({kFull}),
                       .is_unordered = true});
  add_handoffs(scenarios);
  add_blocking(scenarios);
}

}  // namespace crash
