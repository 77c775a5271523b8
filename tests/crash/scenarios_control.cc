// msgctl: IPC_SET, IPC_RMID with all kinds of content, and the reading commands.
#include <unistd.h>

#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr Message kFull = {1, 100, 1};

long control(Actor& actor, int command, void* buffer) {
  return ipcell::sys_msgctl(actor.task, actor.board.ids[0], command, buffer);
}

// ---------------------------------------------------------------- IPC_SET

long set_fields(Actor& actor, unsigned long qbytes, unsigned short mode) {
  struct msqid_ds wanted = {};
  wanted.msg_perm.uid = geteuid();
  wanted.msg_perm.gid = 77;
  wanted.msg_perm.mode = mode;
  wanted.msg_qbytes = qbytes;
  return control(actor, IPC_SET, &wanted);
}

// All fields are new, or none is.
Outcome verify_fields(Actor& actor, unsigned long old_qbytes, unsigned long new_qbytes) {
  const struct msqid_ds stat = actor.stat(0);
  const bool is_new = stat.msg_qbytes == new_qbytes;
  actor.expect(is_new || stat.msg_qbytes == old_qbytes, "msg_qbytes is %lu", stat.msg_qbytes);
  actor.expect((stat.msg_perm.gid == 77) == is_new,
               "of the new fields some are there and some are not");
  actor.expect((stat.msg_perm.mode == 0640) == is_new,
               "of the new fields some are there and some are not");
  return is_new ? Outcome::Whole : Outcome::Absent;
}

Outcome verify_set(Actor& actor) {
  const Outcome outcome = verify_fields(actor, 16384, 5000);
  expect_messages(actor, 0, {kFull});
  return outcome;
}

// Senders get in when the limit is raised.
Outcome verify_set_senders(Actor& actor) {
  const Outcome outcome = verify_fields(actor, 100, 1000);
  for (int sender : {0, 1}) {
    actor.expect(actor.is_waiting(sender) == (outcome == Outcome::Absent),
                 "sender %d has room and waits", sender);
  }
  actor.let_sleepers_go();
  if (outcome == Outcome::Absent) actor.set_qbytes(0, 1000);
  for (int sender : {0, 1}) actor.expect(actor.result_of(sender) == 0, "sender %d failed", sender);
  Messages found = actor.drain(0);
  actor.expect(found.size() == 3 && found[0] == kFull && found[1].tag + found[2].tag == 9 + 10,
               "the senders' messages are not there");
  return outcome;
}

// Receivers look at their permission again.
Outcome verify_set_receivers(Actor& actor) {
  const bool is_waiting = actor.is_waiting(0);
  actor.expect(actor.is_waiting(1) == is_waiting, "one receiver was asked again, and one was not");
  actor.let_sleepers_go();
  if (!is_waiting) {
    for (int n : {0, 1})
      actor.expect(actor.result_of(n) == -EACCES, "receiver %d may still read", n);
    return Outcome::Whole;
  }
  for (int n : {0, 1}) {
    const Message message = {1, 20, static_cast<std::uint8_t>(30 + n)};
    actor.expect(actor.send(0, message) == 0, "the survivor cannot send");
    actor.expect_received(n, message);
  }
  return Outcome::Absent;
}

// ---------------------------------------------------------------- IPC_RMID

// Sleepers learn of it if it happened, and go on waiting if not; until the survivor removes the
// queue.
Outcome verify_removed(Actor& actor, Messages messages, int sleepers) {
  struct msqid_ds stat;
  const long result = control(actor, IPC_STAT, &stat);
  actor.expect(result == 0 || result == -EINVAL, "IPC_STAT returns %ld", result);
  const Outcome outcome = result == 0 ? Outcome::Absent : Outcome::Whole;
  for (int n = 0; n < sleepers; ++n) {
    actor.expect(actor.is_waiting(n) == (outcome == Outcome::Absent), "sleeper %d does not fit", n);
  }
  if (outcome == Outcome::Absent) {
    actor.expect(stat.msg_qnum == messages.size(), "the queue lost messages before its removal");
    actor.expect(actor.remove(0) == 0, "the survivor cannot remove the queue");
  }
  actor.let_sleepers_go();
  for (int n = 0; n < sleepers; ++n) {
    actor.expect(actor.result_of(n) == -EIDRM, "sleeper %d returned %ld", n, actor.result_of(n));
  }
  actor.expect(control(actor, IPC_STAT, &stat) == -EINVAL, "the removed queue is there");
  return outcome;
}

Scenario removing(const char* name, Messages messages, unsigned long qbytes,
                  std::vector<std::function<long(Actor&)>> sleepers) {
  const int count = static_cast<int>(sleepers.size());
  return {.name = name,
          .setup = queue_with(messages, qbytes),
          .sleepers = std::move(sleepers),
          .operation = [](Actor& actor) { return actor.remove(0); },
          .verify = [=](Actor& actor) { return verify_removed(actor, messages, count); }};
}

// ---------------------------------------------------------------- reading

Scenario reading(const char* name, std::function<long(Actor&)> operation, long expected = 0) {
  return {.name = name,
          .setup = queue_with({kFull}),
          .operation = std::move(operation),
          .expected = expected,
          .verify = unchanged({kFull}),
          .is_unordered = true};
}

long read_proc_text(Actor& actor) {
  static char text[4096];
  ipcell::u32 position = 0;
  return ipcell::sys_proc_msg(actor.task, &position, text, sizeof text) != 0 ? 0 : -1;
}

void add_setting(std::vector<Scenario>& scenarios) {
  scenarios.push_back({.name = "set",
                       .setup = queue_with({kFull}),
                       .operation = [](Actor& actor) { return set_fields(actor, 5000, 0640); },
                       .verify = verify_set});
  scenarios.push_back({.name = "set-senders",
                       .setup = queue_with({kFull}, 100),
                       .sleepers = {sender({1, 50, 9}), sender({1, 60, 10})},
                       .operation = [](Actor& actor) { return set_fields(actor, 1000, 0640); },
                       .verify = verify_set_senders});
  scenarios.push_back({.name = "set-receivers",
                       .setup = queue_with({}),
                       .sleepers = {receiver(8192), receiver(8192)},
                       .operation = [](Actor& actor) { return set_fields(actor, 5000, 0200); },
                       .verify = verify_set_receivers});
}

}  // namespace

void add_control_scenarios(std::vector<Scenario>& scenarios) {
  add_setting(scenarios);
  scenarios.push_back(removing("rmid-empty", {}, 16384, {}));
  scenarios.push_back(removing(
      "rmid-messages", {kFull, {1, 0, 0}, {2, 20000, 3}, {1, 8, 4}, {1, 3000, 5}}, kMaxText, {}));
  scenarios.push_back(removing("rmid-receivers", {}, 16384, {receiver(100), receiver(100, 5)}));
  scenarios.push_back(
      removing("rmid-senders", {kFull}, 100, {sender({1, 50, 9}), sender({2, 90, 10})}));
  scenarios.push_back(removing("rmid-both", {kFull}, 100, {sender({1, 50, 9}), receiver(100, 5)}));

  scenarios.push_back(
      reading("stat", [](Actor& actor) { return actor.stat(0).msg_qnum == 1 ? 0L : -1L; }));
  scenarios.push_back(reading("msg-info", [](Actor& actor) {
    actor.touch();
    return 0L;
  }));
  scenarios.push_back(reading("proc-text", read_proc_text));
}

}  // namespace crash
