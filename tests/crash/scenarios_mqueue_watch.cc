// What poll(2) sees of a queue whose sender or receiver dies: never less than is possible, and
// after the next operation just that. And the watching itself.
#include <poll.h>

#include "tests/crash/mqueue_tools.h"

namespace crash {

namespace {

using ipcell::MqueueWatch;

constexpr Message kNew = {5, 100, 9};
constexpr long kMost = 2;

void watch(Actor& actor, MqueueWatch how) {
  const long error = ipcell::sys_mq_watch(actor.task, actor.mqueues[0], how);
  actor.expect(error == 0, "the queue can't be watched: %ld", error);
}

int polled(Actor& actor) {
  struct pollfd entry = {actor.mqueues[0].fd, POLLIN | POLLOUT, 0};
  poll(&entry, 1, 0);
  return entry.revents;
}

// Linux: ipc/mqueue.c:mqueue_poll_file()
int possible(Actor& actor, long most) {
  const long messages = ipcell::mq_messages(actor.mqueue_record(0).load);
  return (messages != 0 ? POLLIN : 0) | (messages < most ? POLLOUT : 0);
}

void expect_exact(Actor& actor, long most, const char* when) {
  const int shown = polled(actor), right = possible(actor, most);
  actor.expect(shown == right, "%s poll tells %#x and not %#x", when, shown, right);
}

// `is_shown`: what a death leaves is shown at once.
Outcome verify_shown(Actor& actor, const Messages& before, const Messages& after, long most,
                     bool is_shown) {
  const int shown = polled(actor), least = possible(actor, most);
  actor.expect(!is_shown || (shown & least) == least, "poll tells %#x although %#x is possible",
               shown, least);
  const struct timespec past = {0, 0};
  Messages found;
  if (actor.mq_receive(0, &past) >= 0) {
    found = {actor.me.message};
  } else {
    actor.expect(actor.mq_send(0, {1, 3, 60}) == 0 && actor.mq_receive(0) == 3,
                 "the survivor cannot send");
  }
  expect_exact(actor, most, "after the next operation");
  for (const Message& message : actor.mq_drain(0)) found.push_back(message);
  expect_exact(actor, most, "of the empty queue");
  const bool is_absent = found == by_priority(before);
  actor.expect(is_absent || found == by_priority(after), "the queue held %zu messages",
               found.size());
  for (long n = 0; n < most; ++n) {
    actor.expect(actor.mq_send(0, {1, 3, 60}) == 0, "the survivor cannot send");
    expect_exact(actor, most, "while it is filled");
  }
  (void)actor.mq_drain(0);
  if (!is_shown) return is_absent ? Outcome::Absent : Outcome::Whole;
  // Who begins to watch now sees it as well.
  ipcell::sys_mq_unwatch(actor.task);
  actor.expect(actor.mq_send(0, {1, 3, 61}) == 0, "the survivor cannot send");
  watch(actor, MqueueWatch::Call);
  expect_exact(actor, most, "watched again");
  ipcell::sys_mq_unwatch(actor.task);
  (void)actor.mq_drain(0);
  return is_absent ? Outcome::Absent : Outcome::Whole;
}

Scenario watched(const char* name, const Messages& before, const Messages& after,
                 std::function<long(Actor&)> operation, long expected,
                 MqueueWatch how = MqueueWatch::Call, long most = kMost) {
  const bool is_shown = how == MqueueWatch::Call;
  Scenario scenario = mq_scenario(
      name, before, warm_up(kNew), std::move(operation),
      [=](Actor& actor) { return verify_shown(actor, before, after, most, is_shown); }, most);
  scenario.setup = [=](Actor& actor) {
    mqueues_with(before, most)(actor);
    watch(actor, how);
  };
  scenario.expected = expected;
  return scenario;
}

Scenario watched_send(const char* name, const Messages& before, MqueueWatch how = MqueueWatch::Call,
                      long most = kMost) {
  return watched(
      name, before, with(before, kNew), [](Actor& actor) { return actor.mq_send_loaded(0); }, 0,
      how, most);
}

Scenario watched_receive(const char* name, const Messages& before,
                         MqueueWatch how = MqueueWatch::Call, long most = kMost) {
  Messages after = by_priority(before);
  const long size = after.front().size;
  after.erase(after.begin());
  return watched(
      name, before, after, [](Actor& actor) { return actor.mq_receive_raw(0); }, size, how, most);
}

// The watching of the dead is given back.
Outcome verify_unwatched(Actor& actor) {
  const ipcell::u32 watched = actor.mqueue_record(0).watched;
  if (actor.board.victim.has_ended)
    actor.expect(watched == 0, "the dead one still watches: %u", watched);
  actor.expect(actor.mq_send(0, kNew) == 0, "the survivor cannot send");
  (void)expect_mqueue(actor, {kNew}, {kNew});
  return Outcome::Absent;
}

long unwatch(Actor& actor) {
  ipcell::sys_mq_unwatch(actor.task);
  return 0;
}

void watch_both(Actor& actor) {
  open_both(actor);
  watch(actor, MqueueWatch::Call);
  const long error = ipcell::sys_mq_watch(actor.task, actor.mqueues[1], MqueueWatch::Call);
  actor.expect(error == 0, "queue 1 can't be watched");
}

}  // namespace

void add_mqueue_watch_scenarios(std::vector<Scenario>& scenarios) {
  const Message one = {7, 30, 1}, other = {3, 20, 2};
  scenarios.push_back(watched_send("mq-watched-send", {}));
  scenarios.push_back(watched_send("mq-watched-send-fills", {one}));
  scenarios.push_back(watched_send("mq-watched-send-only", {}, MqueueWatch::Call, 1));
  scenarios.push_back(watched_receive("mq-watched-receive", {one}));
  scenarios.push_back(watched_receive("mq-watched-receive-full", {one, other}));
  scenarios.push_back(watched_receive("mq-watched-receive-only", {one}, MqueueWatch::Call, 1));
  scenarios.push_back(watched_send("mq-edges-send", {one}, MqueueWatch::Edges));
  scenarios.push_back(watched_receive("mq-edges-receive", {one, other}, MqueueWatch::Edges));
  scenarios.push_back(unordered(mq_scenario(
      "mq-watch", {}, open_both,
      [](Actor& actor) {
        return ipcell::sys_mq_watch(actor.task, actor.mqueues[0], MqueueWatch::Call);
      },
      verify_unwatched)));
  scenarios.push_back(
      unordered(mq_scenario("mq-unwatch", {}, watch_both, unwatch, verify_unwatched)));
}

}  // namespace crash
