// semctl: setting values, IPC_SET, IPC_RMID with all kinds of sleepers and holders, and reading.
#include <unistd.h>

#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr short kUndo = SEM_UNDO;

std::function<long(Actor&)> setting(int num, unsigned long value) {
  return [=](Actor& actor) { return actor.control_set(0, SETVAL, num, value); };
}

std::function<long(Actor&)> setting_all(Values values) {
  return [values](Actor& actor) {
    return actor.control_set(0, SETALL, 0, reinterpret_cast<unsigned long>(values.data()));
  };
}

// ---------------------------------------------------------------- SETVAL, SETALL

void add_setval(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      changing("setval", {.before = {2, 0}, .after = {2, 9}, .operation = setting(1, 9)}));
  scenarios.push_back(
      changing("setval-wakes",
               {.before = {0},
                .after = {1},
                .operation = setting(0, 2),
                .results = {0, kSleepsOn, kSleepsOn}},
               {doing({{0, -1, 0}}), doing({{0, -2, 0}}), doing({{0, -1, 0}, {0, -1, 0}})}));
  scenarios.push_back(
      changing("setval-zero",
               {.before = {3, 0}, .after = {0, 0}, .operation = setting(0, 0), .results = {0, 0}},
               {doing({{0, 0, 0}}), doing({{0, 0, 0}, {1, 0, 0}})}));
  // Nobody has anything to give back or to take afterwards.
  scenarios.push_back(changing("setval-holders",
                               {.before = {4},
                                .after = {7},
                                .operation = setting(0, 7),
                                .results = {kHolds, kHolds},
                                .at_end = {7}},
                               {holder({{0, -2, kUndo}}), holder({{0, 1, kUndo}})}));
  scenarios.back().setup = set_with({5});
}

void add_setall(std::vector<Scenario>& scenarios) {
  scenarios.push_back(
      changing("setall",
               {.before = {4, 0, 0},
                .after = {7, 0, 0},
                .operation = setting_all({7, 1, 0}),
                .results = {kHolds, 0, kSleepsOn},
                .at_end = {7, 0, 0}},
               {holder({{0, -1, kUndo}}), doing({{1, -1, 0}}), doing({{1, -1, 0}, {2, -1, 0}})}));
  scenarios.back().setup = set_with({5, 0, 0});
  // Arrays of two leaves, one for the other.
  Values before = values_of(260, 2), set = values_of(260, 6);
  before[0] = 1;
  before[258] = before[259] = 0;
  set[259] = 1;
  set[258] = 0;
  Values after = set;
  after[259] = 0;
  scenarios.push_back(
      changing("setall-large",
               {.before = before,
                .after = after,
                .operation = setting_all(set),
                .results = {kHolds, 0, kSleepsOn},
                .at_end = after},
               {holder({{0, -1, kUndo}}), doing({{259, -1, 0}}), doing({{258, -1, 0}})}));
  Values first = before;
  first[0] = 2;
  scenarios.back().setup = set_with(first);
}

// ---------------------------------------------------------------- IPC_SET

long set_fields(Actor& actor) {
  struct semid_ds wanted = {};
  wanted.sem_perm.uid = geteuid();
  wanted.sem_perm.gid = 77;
  wanted.sem_perm.mode = 0640;
  return actor.control_set(0, IPC_SET, 0, reinterpret_cast<unsigned long>(&wanted));
}

Outcome verify_fields(Actor& actor) {
  struct semid_ds stat;
  actor.expect(actor.control_set(0, IPC_STAT, 0, reinterpret_cast<unsigned long>(&stat)) == 0,
               "no IPC_STAT");
  const bool is_new = stat.sem_perm.gid == 77;
  actor.expect((stat.sem_perm.mode == 0640) == is_new,
               "of the new fields some are there and some are not");
  expect_values(actor, {1, 2}, "after IPC_SET");
  return is_new ? Outcome::Whole : Outcome::Absent;
}

// ---------------------------------------------------------------- IPC_RMID

// Sleepers learn of it if it happened, and sleep on if not, until the survivor removes the set.
Outcome verify_removed(Actor& actor, int holders, int sleepers) {
  const long value = actor.control_set(0, GETVAL);
  const bool is_absent = value == 1;
  actor.expect(is_absent || value == -EINVAL, "GETVAL returns %ld", value);
  for (int n = holders; n < sleepers; ++n)
    actor.expect(actor.is_waiting(n) == is_absent, "sleeper %d does not fit", n);
  if (is_absent) actor.expect(actor.control_set(0, IPC_RMID) == 0, "no removal");
  actor.let_sleepers_go();
  for (int n = holders; n < sleepers; ++n)
    actor.expect(actor.result_of(n) == -EIDRM, "sleeper %d returned %ld", n, actor.result_of(n));
  actor.expect(actor.control_set(0, GETVAL) == -EINVAL, "the removed set is there");
  return is_absent ? Outcome::Absent : Outcome::Whole;
}

Scenario removing(const char* name, Values values, Actors sleepers, int holders, int doomed) {
  const int count = static_cast<int>(sleepers.size());
  return {.name = name,
          .setup = set_with(std::move(values)),
          .sleepers = std::move(sleepers),
          .doomed = doomed,
          .operation = [](Actor& actor) { return actor.control_set(0, IPC_RMID); },
          .verify = [=](Actor& actor) { return verify_removed(actor, holders, count); }};
}

void add_removing(std::vector<Scenario>& scenarios) {
  scenarios.push_back(removing("sem-rmid", {1, 2}, {}, 0, 0));
  Values large = values_of(260, 2);
  large[0] = 1;
  scenarios.push_back(removing("sem-rmid-large", large, {}, 0, 0));
  // Sleepers in each kind of list; of them those of single semaphores are merged, or are not.
  const Actors single = {doing({{0, -2, 0}}), doing({{1, 0, 0}}), doing({{2, -1, 0}})};
  Actors all = single;
  all.push_back(doing({{0, -2, 0}, {2, -1, 0}}));
  all.push_back(doing({{1, 0, 0}, {0, 0, 0}}));
  scenarios.push_back(removing("sem-rmid-single", {1, 1, 0}, single, 0, 0));
  scenarios.push_back(removing("sem-rmid-sleepers", {1, 1, 0}, all, 0, 0));
  // Holders that are dead, that live, and that sleep.
  scenarios.push_back(removing("sem-rmid-holders", {2, 3, 0},
                               {holder({{1, -2, kUndo}}), holder({{0, -1, kUndo}}),
                                doing({{2, -1, kUndo}}), doing({{0, -2, kUndo}, {1, -1, kUndo}})},
                               2, 1));
  Values many_values = values_of(20, 1);
  scenarios.push_back(removing("sem-rmid-holders-large", many_values,
                               {holder({{18, -1, kUndo}}), holder({{19, 1, kUndo}})}, 2, 1));
}

// ---------------------------------------------------------------- reading

Scenario reading(const char* name, std::function<long(Actor&)> operation, long expected) {
  return {.name = name,
          .setup = set_with({1, 2}),
          .operation = std::move(operation),
          .expected = expected,
          .verify =
              [](Actor& actor) {
                expect_values(actor, {1, 2}, "after a death beside them");
                return Outcome::Absent;
              },
          .is_unordered = true};
}

long get_all(Actor& actor) {
  unsigned short values[2] = {};
  const long result = actor.control_set(0, GETALL, 0, reinterpret_cast<unsigned long>(values));
  return result == 0 ? values[0] * 10 + values[1] : result;
}

void add_reading(std::vector<Scenario>& scenarios) {
  scenarios.push_back(reading("sem-getall", get_all, 12));
  scenarios.push_back(reading(
      "sem-proc-text", [](Actor& actor) { return actor.read_proc_sem() > 0 ? 0L : -1L; }, 0));
  scenarios.push_back(reading(
      "sem-info",
      [](Actor& actor) {
        struct seminfo info;
        return actor.control_set(0, SEM_INFO, 0, reinterpret_cast<unsigned long>(&info));
      },
      0));
  // The dead are not counted.
  scenarios.push_back(reading(
      "sem-getncnt", [](Actor& actor) { return actor.control_set(0, GETNCNT); }, 2));
  Scenario& counting = scenarios.back();
  counting.sleepers = {doing({{0, -2, 0}}), doing({{0, -2, 0}}), doing({{0, -2, 0}, {1, -1, 0}})};
  counting.doomed = 1;
  counting.verify = [](Actor& actor) {
    actor.let_sleepers_go();
    expect_values(actor, {1, 2}, "after a death beside them");
    remove_set(actor, {1, 2});
    return Outcome::Absent;
  };
}

}  // namespace

void add_sem_control_scenarios(std::vector<Scenario>& scenarios) {
  add_setval(scenarios);
  add_setall(scenarios);
  scenarios.push_back({.name = "sem-set",
                       .setup = set_with({1, 2}),
                       .operation = set_fields,
                       .verify = verify_fields});
  add_removing(scenarios);
  add_reading(scenarios);
}

}  // namespace crash
