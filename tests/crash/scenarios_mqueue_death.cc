// mq_notify, and who reaps those that died at a queue.
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "tests/crash/mqueue_tools.h"

namespace crash {

namespace {

using ipcell::MqNotifyKind;

constexpr Message kNew = {5, 100, 9};
constexpr int kValue = 42;

long register_self(Actor& actor, int how) {
  struct sigevent event = {};
  event.sigev_notify = how;
  event.sigev_signo = SIGUSR1;
  event.sigev_value.sival_int = kValue;
  return ipcell::sys_mq_notify(actor.task, actor.mqueues[0], &event);
}
long register_none(Actor& actor) { return register_self(actor, SIGEV_NONE); }
long take_away(Actor& actor) {
  return ipcell::sys_mq_notify(actor.task, actor.mqueues[0], nullptr);
}
long wait_to_be_told(Actor& actor) {
  return ipcell::sys_mq_notify_thread(
      actor.task, actor.mqueues[0], [](void*, long) {}, nullptr);
}

// ---------------------------------------------------------------- sleepers

long await_signal(Actor& actor) {
  open_both(actor);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  actor.expect(register_self(actor, SIGEV_SIGNAL) == 0, "a sleeper cannot register");
  siginfo_t info = {};
  while (sigwaitinfo(&set, &info) < 0) {
  }
  return info.si_value.sival_int;
}

long await_notice(Actor& actor) {
  open_both(actor);
  return wait_to_be_told(actor);
}

long poll_for_ever(Actor& actor) {
  open_both(actor);
  for (int queue : {0, 1}) {
    actor.expect(
        ipcell::sys_mq_watch(actor.task, actor.mqueues[queue], ipcell::MqueueWatch::Call) == 0,
        "a sleeper cannot watch");
  }
  kill(getpid(), SIGSTOP);
  return 0;
}

// ---------------------------------------------------------------- registering

// The registration is as it was or as the victim wanted it; and nobody's when its process is gone.
std::function<Outcome(Actor&)> verify_registered(bool is_removed) {
  return [is_removed](Actor& actor) {
    const ipcell::MqNotify& notify = actor.mqueue_record(0).notify;
    const Slate& victim = actor.board.victim;
    const bool is_there = notify.kind != MqNotifyKind::None && notify.pid == victim.pid;
    const long error = register_none(actor);
    const long right = is_there && !victim.has_ended ? -EBUSY : 0;
    actor.expect(error == right, "mq_notify returns %ld and not %ld", error, right);
    if (error == 0) actor.expect(take_away(actor) == 0, "the survivor cannot take it away");
    return is_there != is_removed ? Outcome::Whole : Outcome::Absent;
  };
}

// The process is over with its thread, or was marked for it: its registration goes. Else it stays.
Outcome verify_after_exec(Actor& actor) {
  const ipcell::MqNotify& notify = actor.mqueue_record(0).notify;
  const bool is_marked = notify.exec == ipcell::MqNotifyExec::Closes;
  const Slate& victim = actor.board.victim;
  actor.expect(!is_marked || victim.has_ended || actor.board.is_thread, "a mark is left");
  const long error = register_none(actor);
  const long right = victim.has_ended || is_marked ? 0 : -EBUSY;
  actor.expect(error == right, "mq_notify returns %ld and not %ld", error, right);
  if (error == 0) actor.expect(take_away(actor) == 0, "the survivor cannot take it away");
  return Outcome::Absent;
}

void add_registering(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      mq_scenario("mq-notify", {}, open_both, register_none, verify_registered(false)));
  // Of one whose registration is still to be taken off.
  scenarios.push_back(
      mq_scenario("mq-notify-after-dead", {}, open_both, register_none, verify_registered(false)));
  scenarios.back().sleepers = {await_signal};
  scenarios.back().doomed = 1;
  scenarios.push_back(mq_scenario(
      "mq-notify-remove", {},
      [](Actor& actor) {
        open_both(actor);
        actor.expect(register_none(actor) == 0, "the victim cannot register");
      },
      take_away, verify_registered(true)));
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "mq-notify-flush";
  scenarios.back().operation = [](Actor& actor) {
    ipcell::sys_mq_flush(actor.task, actor.mqueues[0].queue, actor.mqueues[0].serial);
    return 0L;
  };
  // exec(2) begins, and fails. A death in between is none of its success.
  scenarios.push_back(unordered(scenarios.back()));
  scenarios.back().name = "mq-notify-exec";
  scenarios.back().operation = [](Actor& actor) {
    ipcell::sys_mq_mark_exec(actor.task, [](ipcell::u64) { return true; });
    ipcell::sys_mq_mark_exec(actor.task, nullptr);
    return 0L;
  };
  scenarios.back().verify = verify_after_exec;
  // The thread that waits to be told dies, before or after that.
  scenarios.push_back(
      unordered(mq_scenario("mq-notify-thread", {}, open_both, wait_to_be_told, [](Actor& actor) {
        const MqNotifyKind kind = actor.mqueue_record(0).notify.kind;
        actor.expect(kind == MqNotifyKind::None, "a dead thread is still to be told");
        const Messages expected = actor.board.was_awakened ? Messages{kNew} : Messages{};
        (void)expect_mqueue(actor, expected, expected);
        return Outcome::Absent;
      })));
  scenarios.back().expected = 1;
  scenarios.back().awaken = [](Actor& actor) {
    actor.expect(actor.mq_send(0, kNew) == 0, "the survivor cannot send");
  };
}

// ---------------------------------------------------------------- telling

// Told, or still to be told: then the next message does.
std::function<Outcome(Actor&)> verify_told(long result) {
  return [result](Actor& actor) {
    const bool is_registered = actor.mqueue_record(0).notify.kind != MqNotifyKind::None;
    const Outcome outcome = expect_mqueue(actor, {}, {kNew});
    actor.expect((outcome == Outcome::Absent) == is_registered,
                 is_registered ? "the message is there, and who is told of it still registered"
                               : "the message is not there, and nobody registered");
    actor.let_sleepers_go();
    if (is_registered) actor.expect(actor.mq_send(0, {1, 5, 77}) == 0, "the survivor cannot send");
    const long got = actor.result_of(0);
    actor.expect(got == result, "who is told got %ld", got);
    return outcome;
  };
}

void add_telling(std::vector<Scenario>& scenarios) {
  const auto send = [](Actor& actor) { return actor.mq_send_loaded(0); };
  scenarios.push_back(mq_scenario("mq-tell-signal", {}, warm_up(kNew), send, verify_told(kValue)));
  scenarios.back().sleepers = {await_signal};
  scenarios.push_back(mq_scenario("mq-tell-thread", {}, warm_up(kNew), send, verify_told(1)));
  scenarios.back().sleepers = {await_notice};
  for (const bool is_thread : {false, true}) {
    scenarios.push_back(mq_scenario(is_thread ? "mq-tell-dead-thread" : "mq-tell-dead", {},
                                    warm_up(kNew), send,
                                    [](Actor& actor) { return expect_mqueue(actor, {}, {kNew}); }));
    scenarios.back().sleepers = {is_thread ? await_notice : await_signal};
    scenarios.back().doomed = 1;
  }
}

// ---------------------------------------------------------------- reaping

const Messages kFull = {{3, 100, 1}};

// Nothing of the dead is left at the queues, but for a registration that nobody has asked for.
Outcome verify_reaped(Actor& actor) {
  const ipcell::MqueueRec& queue = actor.mqueue_record(0);
  actor.expect(queue.senders.first == ipcell::kNoSlot && queue.receivers.first == ipcell::kNoSlot &&
                   queue.watched == 0,
               "the dead are still at the queue");
  actor.expect(register_none(actor) == 0 && take_away(actor) == 0, "nobody can register");
  return Outcome::Absent;
}

void add_reaping(std::vector<Scenario>& scenarios) {
  const auto add = [&](const char* name, const Messages& before,
                       std::vector<std::function<long(Actor&)>> dying) {
    scenarios.push_back(unordered(mq_scenario(
        name, before, [](Actor&) {}, reap,
        [before](Actor& actor) {
          (void)expect_mqueue(actor, before, before);
          return verify_reaped(actor);
        },
        1)));
    scenarios.back().doomed = static_cast<int>(dying.size());
    scenarios.back().sleepers = std::move(dying);
  };
  add("mq-reap-receivers", {}, {mq_receiver(), mq_receiver()});
  add("mq-reap-senders", kFull, {mq_sender(kNew), mq_sender({9, 20000, 3})});
  add("mq-reap-poller", kFull, {poll_for_ever});
  add("mq-reap-told", {}, {await_notice});
  add("mq-reap-all", kFull, {mq_sender(kNew), poll_for_ever, await_notice, mq_sender(kNew)});
}

}  // namespace

void add_mqueue_death_scenarios(std::vector<Scenario>& scenarios) {
  add_registering(scenarios);
  add_telling(scenarios);
  add_reaping(scenarios);
}

}  // namespace crash
