// Locks with others at the door: the victim waits for one, or dies with one that others wait for.
#include <signal.h>
#include <unistd.h>

#include "tests/crash/scenario.h"

namespace crash {

namespace {

constexpr Message kOld = {1, 30, 1};
constexpr Message kNew = {5, 100, 9};
constexpr Message kOther = {6, 40, 7};

long send_loaded(Actor& actor) { return actor.send_loaded(0); }
long send_other(Actor& actor) { return actor.send(0, kOther); }
long stat_it(Actor& actor) { return actor.stat(0).msg_qbytes == 16384 ? 0 : -1; }
long make_another(Actor& actor) {
  return ipcell::sys_msgget(actor.task, 0x77, IPC_CREAT | 0600) >= 0 ? 0 : -1;
}

// Takes a lock and stops: who wants it has to wait for SIGCONT.
long hold_lock(Actor& actor, ipcell::LockWord& word) {
  {
    ipcell::Locked locked(actor.task, word);
    kill(getpid(), SIGSTOP);
  }
  return 0;
}

void expect_contenders_ok(Actor& actor, int count) {
  for (int n = 0; n < count; ++n) {
    const long result = actor.result_of_contender(n);
    actor.expect(result == 0, "contender %d returned %ld", n, result);
  }
}

// Both orders of the victim's message and the contender's are right.
Outcome verify_two_sends(Actor& actor, int contenders) {
  expect_contenders_ok(actor, contenders);
  const Messages found = actor.drain(0);
  const bool is_whole = found.size() == 3;
  const bool is_right = found == Messages{kOld, kOther} || found == Messages{kOld, kNew, kOther} ||
                        found == Messages{kOld, kOther, kNew};
  actor.expect(is_right, "of the old, the victim's and the contender's message %zu are there",
               found.size());
  return is_whole ? Outcome::Whole : Outcome::Absent;
}

void let_holder_go(Actor& actor) { actor.let_sleepers_go(); }

// ---------------------------------------------------------------- the victim waits for a lock

Scenario waiting(const char* name, std::function<long(Actor&)> holder) {
  return {.name = name,
          .setup = queue_with({kOld}),
          .sleepers = {std::move(holder)},
          .prepare = warm_and_load(kNew),
          .operation = send_loaded,
          .awaken = let_holder_go,
          .after_death =
              [](Actor& actor) {
                actor.let_sleepers_go();
                (void)actor.result_of(0);
              },
          .verify =
              [](Actor& actor) {
                return expect_either(actor, 0, {kOld}, {kOld, kNew});
              }};
}

// ---------------------------------------------------------------- others wait for the victim

Scenario contended(const char* name, std::function<void(Actor&)> prepare,
                   std::function<long(Actor&)> operation, std::function<Outcome(Actor&)> verify) {
  return {.name = name,
          .setup = queue_with({kOld}),
          .prepare = std::move(prepare),
          .operation = std::move(operation),
          .contenders = {stat_it, send_other, stat_it},
          .verify = std::move(verify),
          .is_unordered = true};
}

Outcome verify_receive_and_send(Actor& actor) {
  expect_contenders_ok(actor, 3);
  return expect_either(actor, 0, {kOld, kOther}, {kOther});
}

Outcome verify_get_beside(Actor& actor) {
  expect_contenders_ok(actor, 2);
  actor.expect(ipcell::sys_msgget(actor.task, 0x77, 0) >= 0, "the contender's queue is not found");
  const long id = ipcell::sys_msgget(actor.task, 0x78, 0);
  actor.expect(id >= 0 || id == -ENOENT, "the victim's queue is %ld", id);
  return id >= 0 ? Outcome::Whole : Outcome::Absent;
}

// The contenders send before the removal, or learn of it.
Outcome verify_removal_beside(Actor& actor) {
  for (int n : {0, 1}) {
    const long result = actor.result_of_contender(n);
    actor.expect(result == 0 || result == -EINVAL, "contender %d returned %ld", n, result);
  }
  const long result = actor.remove(0);
  actor.expect(result == 0 || result == -EINVAL, "IPC_RMID returns %ld", result);
  return result == 0 ? Outcome::Absent : Outcome::Whole;
}

void add_contended(std::vector<Scenario>& scenarios) {
  scenarios.push_back(contended("contend-send", warm_and_load(kNew), send_loaded,
                                [](Actor& actor) { return verify_two_sends(actor, 3); }));
  scenarios.push_back(contended(
      "contend-receive", [](Actor&) {}, [](Actor& actor) { return actor.receive_raw(0, 100, 1); },
      verify_receive_and_send));
  scenarios.back().expected = kOld.size;
  Scenario heap = contended(
      "contend-heap", [](Actor& actor) { actor.load(kNew); }, send_loaded,
      [](Actor& actor) { return verify_two_sends(actor, 1); });
  heap.contenders = {send_other};
  scenarios.push_back(heap);
  Scenario get = contended(
      "contend-get", [](Actor&) {},
      [](Actor& actor) {
        return ipcell::sys_msgget(actor.task, 0x78, IPC_CREAT | 0600) >= 0 ? 0L : -1L;
      },
      verify_get_beside);
  get.contenders = {make_another, stat_it};
  scenarios.push_back(get);
  Scenario removal = contended(
      "contend-rmid", [](Actor&) {}, [](Actor& actor) { return actor.remove(0); },
      verify_removal_beside);
  removal.contenders = {send_other, [](Actor& actor) {
                          struct msqid_ds stat;
                          return ipcell::sys_msgctl(actor.task, actor.board.ids[0], IPC_STAT,
                                                    &stat);
                        }};
  scenarios.push_back(removal);
}

}  // namespace

void add_contention_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(waiting("wait-for-queue-lock",
                              [](Actor& actor) { return hold_lock(actor, actor.record(0).lock); }));
  scenarios.push_back(waiting("wait-for-heap-lock", [](Actor& actor) {
    return hold_lock(actor, actor.cell.layout().heap.lock);
  }));
  scenarios.back().prepare = [](Actor& actor) { actor.load(kNew); };
  add_contended(scenarios);
}

}  // namespace crash
