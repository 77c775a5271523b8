// Rules of fault injection: added and removed, and followed by calls whose outcome they make true.
#include <cerrno>
#include <cstring>

#include "core/ipc/fault.h"
#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr Message kFirst = {1, 100, 1};
constexpr Message kSecond = {1, 20, 2};

// Made before the victim's marker: what is stepped is the operation alone.
ipcell::FaultRule g_rule;

void read_rule(Actor& actor, const char* text) {
  ipcell::FaultError error;
  g_rule = {};
  const bool is_good = ipcell::parse_fault_rule(text, std::strlen(text), {}, &g_rule, &error);
  actor.expect(is_good, "%s: %s", text, error.message);
}

void add_rule(Actor& actor, const char* text) {
  read_rule(actor, text);
  actor.expect(ipcell::add_fault_rule(actor.task, g_rule) == 0, "a rule cannot be added");
}

std::function<void(Actor&)> reads(const char* text) {
  return [text](Actor& actor) { read_rule(actor, text); };
}

// The survivor's rules come and go as if nobody had died; at the end there are none.
void expect_sound_table(Actor& actor) {
  add_rule(actor, "later: shmat=err(ENOMEM)");
  actor.expect(ipcell::remove_fault_rule(actor.task, "later") == 0, "a rule cannot be removed");
  ipcell::remove_fault_rules(actor.task, nullptr, nullptr);
  actor.expect(!ipcell::has_faults(actor.cell), "calls look for rules, and there are none");
}

// The rule is in force whole, or is not there.
Outcome verify_rule(Actor& actor, Outcome when_in_force) {
  const long result = actor.send(0, kSecond, IPC_NOWAIT);
  actor.expect(result == 0 || result == -ENOMEM, "msgsnd returned %ld", result);
  expect_sound_table(actor);
  expect_messages(actor, 0, result == 0 ? Messages{kFirst, kSecond} : Messages{kFirst});
  const Outcome other = when_in_force == Outcome::Whole ? Outcome::Absent : Outcome::Whole;
  return result == -ENOMEM ? when_in_force : other;
}

Outcome verify_removed(Actor& actor) {
  ipcell::remove_fault_rules(actor.task, nullptr, nullptr);
  struct msqid_ds stat;
  const long result = ipcell::sys_msgctl(actor.task, actor.board.ids[0], IPC_STAT, &stat);
  actor.expect(result == 0 || result == -EINVAL, "IPC_STAT returns %ld", result);
  if (result == 0) actor.expect(actor.remove(0) == 0, "the queue cannot be removed");
  expect_sound_table(actor);
  return result == 0 ? Outcome::Absent : Outcome::Whole;
}

// A call that changes nothing: once its rule has fired it may have returned.
Outcome by_firing(Actor& actor) {
  return actor.cell.layout().faults.rules[0].fired != 0 ? Outcome::Whole : Outcome::Absent;
}

// The limit was lower for that call alone.
Outcome verify_limit(Actor& actor) {
  const Outcome outcome = by_firing(actor);
  const ipcell::u32 limit = actor.cell.header().limits.msgmni;
  actor.expect(limit == 32000, "msgmni is %u", limit);
  expect_sound_table(actor);
  expect_messages(actor, 0, {kFirst});
  return outcome;
}

// Nobody waits for the message any more, and none was lost.
Outcome verify_not_received(Actor& actor) {
  const Outcome outcome = by_firing(actor);
  expect_sound_table(actor);
  expect_messages(actor, 0, {});
  actor.expect(actor.send(0, kSecond) == 0, "the survivor cannot send");
  expect_messages(actor, 0, {kSecond});
  return outcome;
}

Outcome verify_sent(Actor& actor) {
  expect_sound_table(actor);
  return expect_either(actor, 0, {kFirst}, {kFirst, kSecond});
}

std::function<void(Actor&)> queue_and_rule(Messages messages, const char* text) {
  return [=](Actor& actor) {
    queue_with(messages)(actor);
    add_rule(actor, text);
  };
}

}  // namespace

void add_fault_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      {.name = "fault_add",
       .setup = queue_with({kFirst}),
       .prepare = reads("new: msgsnd p=1 per=proc=err(ENOMEM)"),
       .operation = [](Actor& actor) -> long { return ipcell::add_fault_rule(actor.task, g_rule); },
       .verify = [](Actor& actor) { return verify_rule(actor, Outcome::Whole); }});
  scenarios.push_back({.name = "fault_remove",
                       .setup = queue_and_rule({kFirst}, "old: msgsnd=err(ENOMEM)"),
                       .operation = [](Actor& actor) -> long {
                         return ipcell::remove_fault_rule(actor.task, "old");
                       },
                       .verify = [](Actor& actor) { return verify_rule(actor, Outcome::Absent); }});
  scenarios.push_back({.name = "fault_vanished",
                       .setup = queue_and_rule({kFirst}, "msgsnd=err(EIDRM)"),
                       .prepare = [](Actor& actor) { actor.load(kSecond); },
                       .operation = [](Actor& actor) { return actor.send_loaded(0); },
                       .expected = -EIDRM,
                       .verify = verify_removed});
  scenarios.push_back(
      {.name = "fault_limited",
       .setup = queue_and_rule({kFirst}, "msgget=err(ENOSPC)"),
       .operation = [](Actor& actor) { return ipcell::sys_msgget(actor.task, IPC_PRIVATE, 0600); },
       .expected = -ENOSPC,
       .verify = verify_limit});
  scenarios.push_back({.name = "fault_interrupted",
                       .setup = queue_and_rule({}, "msgrcv=eintr"),
                       .operation = [](Actor& actor) { return actor.receive_raw(0, kMaxText); },
                       .expected = -EINTR,
                       .verify = verify_not_received});
  scenarios.push_back({.name = "fault_removed_asleep",
                       .setup = queue_and_rule({}, "msgrcv=rmid(blocked)"),
                       .operation = [](Actor& actor) { return actor.receive_raw(0, kMaxText); },
                       .expected = -EIDRM,
                       .verify = verify_removed});
  scenarios.push_back({.name = "fault_full",
                       .setup = queue_and_rule({kFirst}, "msgsnd p=1 per=object=full"),
                       .prepare = [](Actor& actor) { actor.load(kSecond); },
                       .operation = [](Actor& actor) { return actor.send_loaded(0); },
                       .verify = verify_sent});
}

}  // namespace crash
