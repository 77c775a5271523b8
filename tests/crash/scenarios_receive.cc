// msgrcv: from the queue, and asleep.
#include <unistd.h>

#include "tests/crash/scenario.h"

namespace crash {

namespace {

const Messages kThree = {{1, 30, 1}, {2, 40, 2}, {3, 50, 3}};

Messages without(Messages messages, std::size_t index) {
  messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(index));
  return messages;
}

// Takes message `index` out.
Scenario taking(const char* name, Messages before, std::size_t index, std::uint32_t size, long type,
                int flags = 0) {
  const Messages after = without(before, index);
  const long expected = before[index].size < size ? before[index].size : size;
  return {.name = name,
          .setup = queue_with(before, kMaxText),
          .operation = [=](Actor& actor) { return actor.receive_raw(0, size, type, flags); },
          .expected = expected,
          .verify = [=](Actor& actor) { return expect_either(actor, 0, before, after); }};
}

Scenario looking(const char* name, std::uint32_t size, long type, int flags, long expected) {
  return {.name = name,
          .setup = queue_with(kThree),
          .operation = [=](Actor& actor) { return actor.receive_raw(0, size, type, flags); },
          .expected = expected,
          .verify = unchanged(kThree),
          .is_unordered = true};
}

// ---------------------------------------------------------------- asleep

constexpr Message kSent = {4, 70, 8};
constexpr Message kNext = {4, 60, 20};

Scenario blocking(const char* name, std::function<void(Actor&)> awaken, long expected,
                  std::function<Outcome(Actor&)> verify) {
  return {.name = name,
          .setup = queue_with({}),
          .operation = [](Actor& actor) { return actor.receive_raw(0, 8192, 4); },
          .expected = expected,
          .awaken = std::move(awaken),
          .verify = std::move(verify)};
}

// Asleep or not, the dead take nothing any more; what was handed over went with them.
Outcome verify_handed_over(Actor& actor) {
  actor.expect(actor.send(0, kNext) == 0, "the survivor cannot send");
  expect_messages(actor, 0, {kNext});
  return actor.board.was_awakened ? Outcome::Whole : Outcome::Absent;
}

// The wait was ended by IPC_SET, and the victim asks again.
Outcome verify_asked_again(Actor& actor) {
  actor.expect(actor.send(0, kNext) == 0, "the survivor cannot send");
  expect_messages(actor, 0, {kNext});
  return Outcome::Absent;
}

void forbid_reading(Actor& actor) {
  struct msqid_ds wanted = actor.stat(0);
  wanted.msg_perm.mode = 0200;
  actor.expect(ipcell::sys_msgctl(actor.task, actor.board.ids[0], IPC_SET, &wanted) == 0,
               "no IPC_SET");
}

Outcome verify_forbidden(Actor& actor) {
  actor.expect(actor.send(0, kNext) == 0, "the survivor cannot send");
  struct msqid_ds wanted;
  // Without the right to read, IPC_STAT fails as well: the fields are given whole.
  wanted = {};
  wanted.msg_perm.uid = geteuid();
  wanted.msg_perm.gid = getegid();
  wanted.msg_perm.mode = 0600;
  wanted.msg_qbytes = 16384;
  actor.expect(ipcell::sys_msgctl(actor.task, actor.board.ids[0], IPC_SET, &wanted) == 0,
               "no IPC_SET");
  expect_messages(actor, 0, {kNext});
  return Outcome::Absent;
}

Outcome verify_removed(Actor& actor) {
  const long result = actor.remove(0);
  actor.expect(result == (actor.board.was_awakened ? -EINVAL : 0), "IPC_RMID returns %ld", result);
  return Outcome::Absent;
}

void send_it(Actor& actor) { actor.expect(actor.send(0, kSent) == 0, "the survivor cannot send"); }
void remove_it(Actor& actor) { actor.expect(actor.remove(0) == 0, "no removal"); }

Scenario unordered(Scenario scenario) {
  scenario.is_unordered = true;
  return scenario;
}

// ---------------------------------------------------------------- a handler takes the wait back

Scenario interrupted(const char* name, Messages messages, unsigned long qbytes,
                     std::function<long(Actor&)> wait) {
  return {.name = name,
          .setup = queue_with(messages, qbytes),
          .prepare =
              [wait](Actor& actor) {
                actor.load({5, 50, 9});
                actor.me.result = wait(actor);
              },
          .operation = [](Actor& actor) { return ipcell::interrupt_wait(actor.task) ? 1L : 0L; },
          .is_signalled = true,
          .expected = -EINTR,
          .verify =
              [messages](Actor& actor) {
                expect_messages(actor, 0, messages);
                actor.expect(actor.send(0, kNext) == 0, "the survivor cannot send");
                expect_messages(actor, 0, {kNext});
                return Outcome::Absent;
              },
          .is_unordered = true};
}

}  // namespace

void add_receive_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(taking("receive-first", kThree, 0, 8192, 0));
  scenarios.push_back(taking("receive-middle", kThree, 1, 8192, 2));
  scenarios.push_back(taking("receive-last", kThree, 2, 8192, 3));
  scenarios.push_back(taking("receive-only", {{1, 30, 1}}, 0, 8192, 0));
  scenarios.push_back(taking("receive-lowest", {{3, 30, 1}, {1, 40, 2}, {2, 50, 3}}, 1, 8192, -3));
  scenarios.push_back(taking("receive-except", kThree, 1, 8192, 1, MSG_EXCEPT));
  scenarios.push_back(taking("receive-truncated", kThree, 1, 10, 2, MSG_NOERROR));
  scenarios.push_back(taking("receive-empty", {{1, 0, 0}, {2, 5, 1}}, 0, 8192, 0));
  scenarios.push_back(taking("receive-8k", {{1, 8192, 1}, {2, 5, 2}}, 0, 8192, 0));
  scenarios.push_back(taking("receive-long", {{1, 20000, 1}, {2, 5, 2}}, 0, kMaxText, 0));
  scenarios.push_back(looking("receive-e2big", 10, 2, 0, -E2BIG));
  scenarios.push_back(looking("receive-nothing", 8192, 9, IPC_NOWAIT, -ENOMSG));
  scenarios.push_back(looking("receive-copy", 8192, 1, IPC_NOWAIT | MSG_COPY, 40));
  scenarios.push_back(looking("receive-copy-e2big", 10, 1, IPC_NOWAIT | MSG_COPY, -E2BIG));

  scenarios.push_back(blocking("receive-blocking", send_it, 70, verify_handed_over));
  scenarios.push_back(
      unordered(blocking("receive-blocking-retry", forbid_reading, -EACCES, [](Actor& actor) {
        return actor.board.was_awakened ? verify_forbidden(actor) : verify_asked_again(actor);
      })));
  scenarios.push_back(
      unordered(blocking("receive-blocking-eidrm", remove_it, -EIDRM, verify_removed)));

  scenarios.push_back(interrupted("interrupt-receive", {}, 16384, receiver(8192, 7)));
  scenarios.push_back(interrupted("interrupt-send", {{1, 100, 1}}, 100,
                                  [](Actor& actor) { return actor.send_loaded(0); }));
}

}  // namespace crash
