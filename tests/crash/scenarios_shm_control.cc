// shmctl: IPC_RMID with all kinds of attachers, IPC_SET, SHM_LOCK, and what looks.
#include <unistd.h>

#include <cerrno>

#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

constexpr int kKey = 0x4321;

long remove_zero(Actor& actor) { return actor.control_segment(0, IPC_RMID); }

// Without an attacher it is there with its key, or gone. `others` keep it, but not its key.
Outcome verify_removed(Actor& actor, unsigned long others) {
  const long found = ipcell::sys_shmget(actor.task, kKey, 0, 0);
  const bool is_absent = found >= 0;
  actor.expect(is_absent || found == -ENOENT, "shmget of the key returns %ld", found);
  if (is_absent || others != 0) {
    const struct shmid_ds stat = actor.stat_segment(0);
    actor.expect(stat.shm_nattch == others, "nattch is %lu", stat.shm_nattch);
    actor.expect(((stat.shm_perm.mode & SHM_DEST) == 0) == is_absent, "the mode is %#o",
                 stat.shm_perm.mode);
    actor.check_text_of(0, kSegmentPages);
  }
  if (is_absent) actor.expect(remove_zero(actor) == 0, "the survivor cannot remove");
  if (others == 0) {
    expect_gone(actor);
    expect_no_segments(actor);
  }
  return is_absent ? Outcome::Absent : Outcome::Whole;
}

Scenario removing(const char* name, std::vector<std::function<long(Actor&)>> sleepers, int doomed) {
  const auto living = sleepers.size() - static_cast<std::size_t>(doomed);
  return {.name = name,
          .setup = [](Actor& actor) { actor.make_segment(0, kSegmentPages, kKey); },
          .sleepers = std::move(sleepers),
          .doomed = doomed,
          .operation = remove_zero,
          .verify = [living](Actor& actor) { return verify_removed(actor, living); },
          .verify_end =
              [](Actor& actor) {
                expect_gone(actor);
                expect_no_segments(actor);
              }};
}

void add_removing(std::vector<Scenario>& scenarios) {
  scenarios.push_back(removing("shm-rmid", {}, 0));
  scenarios.push_back(removing("shm-rmid-attached", {attacher()}, 0));
  scenarios.push_back(removing("shm-rmid-dead", {attacher(2), attacher()}, 2));
  scenarios.push_back(removing("shm-rmid-mixed", {attacher(), attacher()}, 1));
  // The victim has it attached itself.
  scenarios.push_back(removing("shm-rmid-own", {}, 0));
  scenarios.back().prepare = attach_before(1);
  scenarios.back().verify = goes_with_victim();
  scenarios.back().is_unordered = true;
  scenarios.back().verify = [](Actor& actor) {
    if (!actor.board.victim.has_ended) {
      expect_attached(actor, {0, 1, 1});
      actor.expect(remove_zero(actor) == 0, "the survivor cannot remove");
      return Outcome::Absent;
    }
    return verify_removed(actor, 0);
  };
  // The victim can't reach the pages: another gives them back.
  scenarios.push_back(removing("shm-rmid-abandons", {}, 0));
  scenarios.back().prepare = [](Actor& actor) { actor.task.addresses = nullptr; };
  scenarios.back().verify = [](Actor& actor) {
    while (actor.cell.layout().segment_space.abandoned != 0)
      (void)ipcell::sys_shmget(actor.task, 0x77, 1, 0);
    return verify_removed(actor, 0);
  };
}

// ---------------------------------------------------------------- IPC_SET, SHM_LOCK

struct shmid_ds wanted_fields() {
  struct shmid_ds wanted = {};
  wanted.shm_perm.uid = geteuid();
  wanted.shm_perm.gid = 77;
  wanted.shm_perm.mode = 0640;
  return wanted;
}

long set_fields(Actor& actor) {
  struct shmid_ds wanted = wanted_fields();
  return actor.control_segment(0, IPC_SET, &wanted);
}

Outcome verify_fields(Actor& actor) {
  const struct shmid_ds stat = actor.stat_segment(0);
  const bool is_new = stat.shm_perm.gid == 77;
  actor.expect((stat.shm_perm.mode == 0640) == is_new && (is_new || stat.shm_perm.mode == 0600),
               "the mode is %#o, and the group %u", stat.shm_perm.mode, stat.shm_perm.gid);
  actor.check_text_of(0, kSegmentPages);
  return is_new ? Outcome::Whole : Outcome::Absent;
}

Scenario locking(const char* name, int command) {
  return {.name = name,
          .setup =
              [command](Actor& actor) {
                segment_zero(actor);
                if (command == SHM_UNLOCK)
                  actor.expect(actor.control_segment(0, SHM_LOCK) == 0, "there is no lock");
              },
          .operation = [command](Actor& actor) { return actor.control_segment(0, command); },
          .verify =
              [command](Actor& actor) {
                const bool is_locked = (actor.stat_segment(0).shm_perm.mode & SHM_LOCKED) != 0;
                return is_locked == (command == SHM_LOCK) ? Outcome::Whole : Outcome::Absent;
              }};
}

// ---------------------------------------------------------------- looking

// Some of the attachers are dead, and the victim is the one who finds out.
Scenario looking(const char* name, std::function<long(Actor&)> operation, long expected = 0) {
  Scenario scenario = attaching(name, [](Actor&) {}, std::move(operation), {.others = 1});
  scenario.sleepers = {attacher(2), attacher(), attacher()};
  scenario.doomed = 2;
  scenario.expected = expected;
  return scenario;
}

long count_zero(Actor& actor) { return static_cast<long>(actor.attached(0)); }

void add_looking(std::vector<Scenario>& scenarios) {
  scenarios.push_back(looking("shm-stat-dead", count_zero, 1));
  scenarios.push_back(looking("shm-stat-zombie", count_zero, 1));
  scenarios.back().are_zombies = true;
  scenarios.push_back(
      looking("shm-proc-text", [](Actor& actor) { return actor.read_proc_shm() > 0 ? 0L : -1L; }));
  scenarios.push_back(looking("shm-info", [](Actor& actor) {
    struct shm_info info;
    const long result = actor.control_segment(0, SHM_INFO, &info);
    return result != 0 || info.used_ids != 1 ? -1L : 0L;
  }));
  // The last of a removed segment's attachers are dead: who looks removes it.
  scenarios.push_back({.name = "shm-stat-removes",
                       .setup = segment_zero,
                       .sleepers = {attacher(),
                                    [](Actor& actor) {
                                      attach_and_remove(actor);
                                      return attacher()(actor);
                                    }},
                       .doomed = 2,
                       .operation = stat_zero,
                       .expected = -EINVAL,
                       .verify =
                           [](Actor& actor) {
                             expect_gone(actor);
                             expect_no_segments(actor);
                             return Outcome::Absent;
                           },
                       .is_unordered = true});
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "shm-proc-text-removes";
  scenarios.back().operation = [](Actor& actor) { return actor.read_proc_shm() > 0 ? 0L : -1L; };
  scenarios.back().expected = 0;
}

}  // namespace

void add_shm_control_scenarios(std::vector<Scenario>& scenarios) {
  add_removing(scenarios);
  scenarios.push_back(
      {.name = "shm-set", .setup = segment_zero, .operation = set_fields, .verify = verify_fields});
  scenarios.push_back(locking("shm-lock", SHM_LOCK));
  scenarios.push_back(locking("shm-unlock", SHM_UNLOCK));
  add_looking(scenarios);
}

}  // namespace crash
