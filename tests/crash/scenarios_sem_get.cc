// semget: the registry, a fresh set and its array.
#include "tests/crash/sem_tools.h"

namespace crash {

namespace {

constexpr int kKey = 0x4321;

long get(Actor& actor, int key, int nsems, int flags = 0) {
  return ipcell::sys_semget(actor.task, key, nsems, flags);
}

// Sets and semaphores that are counted.
struct seminfo info_of(Actor& actor) {
  struct seminfo info;
  const long result =
      ipcell::sys_semctl(actor.task, 0, 0, SEM_INFO, reinterpret_cast<unsigned long>(&info));
  actor.expect(result >= 0, "SEM_INFO failed: %ld", result);
  return info;
}

// Of sets with `others` semaphores: either they are alone, or there is one more with `nsems`.
Outcome count_sets(Actor& actor, int sets, int others, int nsems) {
  const struct seminfo info = info_of(actor);
  const bool is_whole = info.semusz == sets + 1;
  actor.expect(is_whole || info.semusz == sets, "there are %d sets", info.semusz);
  actor.expect(info.semaem == others + (is_whole ? nsems : 0), "%d semaphores are counted",
               info.semaem);
  return is_whole ? Outcome::Whole : Outcome::Absent;
}

// The new set is found, is empty, and can be used; or the key leads nowhere.
Outcome verify_new(Actor& actor, int nsems) {
  const Outcome outcome = count_sets(actor, 0, 0, nsems);
  const long found = get(actor, kKey, nsems);
  actor.expect((found >= 0) == (outcome == Outcome::Whole), "semget of the key returns %ld", found);
  const long id = found >= 0 ? found : get(actor, kKey, nsems, IPC_CREAT | 0600);
  actor.expect(id == 0, "the key has the identifier %ld", id);
  actor.board.sets[0] = static_cast<int>(id);
  expect_values(actor, values_of(nsems, 0), "in a new set");
  const auto last = static_cast<unsigned short>(nsems - 1);
  actor.expect(actor.semop(0, {{last, 3, SEM_UNDO}}) == 0, "the new set's last semaphore is none");
  actor.expect(actor.control_set(0, GETVAL, last) == 3, "the new set does not keep a value");
  remove_set(actor, {});
  actor.expect(get(actor, kKey, 0) == -ENOENT, "the key leads to the removed set");
  (void)count_sets(actor, 0, 0, 0);
  return outcome;
}

Scenario getting(const char* name, int nsems) {
  return {.name = name,
          .setup = [](Actor&) {},
          .operation = [nsems](Actor& actor) { return get(actor, kKey, nsems, IPC_CREAT | 0600); },
          .verify = [nsems](Actor& actor) { return verify_new(actor, nsems); }};
}

// Nothing changes: the set 0 has these values.
Scenario looking(const char* name, std::function<long(Actor&)> operation, long expected) {
  return {.name = name,
          .setup =
              [](Actor& actor) {
                actor.make_set(0, {4, 5, 6}, kKey);
              },
          .operation = std::move(operation),
          .expected = expected,
          .verify =
              [](Actor& actor) {
                (void)count_sets(actor, 1, 3, 0);
                expect_values(actor, {4, 5, 6}, "after a death beside it");
                return Outcome::Absent;
              },
          .is_unordered = true};
}

std::function<void(Actor&)> with_limits(ipcell::u32 semmns, ipcell::u32 semmni) {
  return [=](Actor& actor) {
    actor.make_set(0, {4, 5, 6}, kKey);
    actor.cell.header().limits.semmns = semmns;
    actor.cell.header().limits.semmni = semmni;
  };
}

void raise_limits(Actor& actor) {
  actor.cell.header().limits.semmns = 32000;
  actor.cell.header().limits.semmni = 100;
}

}  // namespace

void add_sem_get_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(getting("sem-get", 3));
  // A directory of two leaves.
  scenarios.push_back(getting("sem-get-large", 260));
  scenarios.push_back(
      {.name = "sem-get-private",
       .setup =
           [](Actor& actor) {
             actor.make_set(0, {4, 5, 6});
           },
       .operation = [](Actor& actor) { return get(actor, IPC_PRIVATE, 2, 0600) == 1 ? 0L : -1L; },
       .verify = [](Actor& actor) { return count_sets(actor, 1, 3, 2); }});
  scenarios.push_back(looking(
      "sem-get-existing", [](Actor& actor) { return get(actor, kKey, 3); }, 0));
  scenarios.push_back(looking(
      "sem-get-more", [](Actor& actor) { return get(actor, kKey, 4); }, -EINVAL));
  // The array is built when there turns out to be no room for its set.
  const auto get_new = [](Actor& actor) { return get(actor, 0x99, 5, IPC_CREAT | 0600); };
  for (bool is_array_built : {false, true}) {
    scenarios.push_back(
        looking(is_array_built ? "sem-get-too-many-sets" : "sem-get-too-many", get_new, -ENOSPC));
    Scenario& full = scenarios.back();
    full.setup = is_array_built ? with_limits(100, 1) : with_limits(7, 100);
    full.verify = [verify = full.verify](Actor& actor) {
      raise_limits(actor);
      return verify(actor);
    };
  }
}

}  // namespace crash
