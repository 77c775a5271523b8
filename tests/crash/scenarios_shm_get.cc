// shmget: the registry, where pages stand, what memory is promised or reserved, and what others
// could not give back.
#include "core/ipc/segment_space.h"
#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

constexpr int kKey = 0x4321;

long get(Actor& actor, int key, std::size_t size, int flags = 0) {
  return ipcell::sys_shmget(actor.task, key, size, flags);
}

struct shm_info info_of(Actor& actor) {
  struct shm_info info;
  const long result = ipcell::sys_shmctl(actor.task, 0, SHM_INFO, &info);
  actor.expect(result >= 0, "SHM_INFO failed: %ld", result);
  return info;
}

// Gives back what others could not: each shmget(2) takes one of them.
void adopt_all(Actor& actor) {
  while (actor.cell.layout().segment_space.abandoned != 0) (void)get(actor, 0x77, 1);
}

// Beside `segments` of kSegmentPages there is one more, or not.
Outcome count_segments(Actor& actor, int segments, std::size_t pages) {
  const struct shm_info info = info_of(actor);
  const bool is_whole = info.used_ids == segments + 1;
  actor.expect(is_whole || info.used_ids == segments, "there are %d segments", info.used_ids);
  const unsigned long wanted = segments * kSegmentPages + (is_whole ? pages : 0);
  actor.expect(info.shm_tot == wanted, "%lu pages are counted, and not %lu", info.shm_tot, wanted);
  int listed = 0;
  for (ipcell::u64 at = actor.cell.layout().segment_space.first; at != 0; ++listed)
    at = actor.cell.at<ipcell::SegmentRec>(at)->space_next;
  actor.expect(listed == info.used_ids, "%d segments have pages", listed);
  return is_whole ? Outcome::Whole : Outcome::Absent;
}

// The new segment is found, is empty, and can be used; or the key leads nowhere.
Outcome verify_new(Actor& actor) {
  const Outcome outcome = count_segments(actor, 0, kSegmentPages);
  const long found = get(actor, kKey, kSegmentBytes);
  actor.expect((found >= 0) == (outcome == Outcome::Whole), "shmget of the key returns %ld", found);
  const long id = found >= 0 ? found : get(actor, kKey, kSegmentBytes, IPC_CREAT | 0600);
  actor.expect(id >= 0, "the key has the identifier %ld", id);
  actor.board.segments[0] = static_cast<int>(id);
  actor.expect(actor.attach_segment(0) == 0, "the new segment can't be attached");
  for (std::size_t n = 0; n < kSegmentBytes; ++n)
    actor.expect(actor.place[n] == 0, "the new segment has %d at %zu", actor.place[n], n);
  actor.expect(actor.control_segment(0, IPC_RMID) == 0, "the new segment can't be removed");
  actor.expect(detach_place(actor) == 0, "the new segment can't be detached");
  expect_gone(actor);
  expect_no_segments(actor);
  return outcome;
}

Scenario getting(const char* name, int flags = 0) {
  return {.name = name,
          .setup = [](Actor&) {},
          .operation =
              [flags](Actor& actor) {
                const long id = get(actor, kKey, kSegmentBytes, IPC_CREAT | 0600 | flags);
                return id < 0 ? id : 0;
              },
          .verify = verify_new};
}

// Nothing changes: segment 0 is alone, with its text.
Scenario looking(const char* name, std::function<long(Actor&)> operation, long expected) {
  return {.name = name,
          .setup = [](Actor& actor) { actor.make_segment(0, kSegmentPages, kKey); },
          .operation = std::move(operation),
          .expected = expected,
          .verify =
              [](Actor& actor) {
                adopt_all(actor);
                (void)count_segments(actor, 1, 0);
                actor.check_text_of(0, kSegmentPages);
                return Outcome::Absent;
              },
          .is_unordered = true};
}

// What was found free a moment ago is not known any more either.
void leave_path(Actor& actor) {
  actor.addresses.file.set_file(actor.cell, nullptr);
  actor.cell.layout().segment_space.allowance = 0;
}

// Removes segment 0 without a way to its pages.
void abandon(Actor& actor) {
  actor.task.addresses = nullptr;
  actor.expect(actor.control_segment(0, IPC_RMID) == 0, "there is no removal");
  actor.task.addresses = &actor.addresses;
}

// A segment that the dead had, and that is removed, stands in the way of a new one.
void add_sweep(std::vector<Scenario>& scenarios) {
  scenarios.push_back(getting("shm-get-sweep"));
  Scenario& full = scenarios.back();
  full.setup = [](Actor& actor) {
    segment_zero(actor);
    actor.cell.header().limits.shmmni = 1;
  };
  full.sleepers = {[](Actor& actor) {
    attach_and_remove(actor);
    return attacher(0)(actor);
  }};
  full.doomed = 1;
  full.verify = [](Actor& actor) {
    actor.cell.header().limits.shmmni = 4096;
    return verify_new(actor);
  };
}

}  // namespace

void add_shm_get_scenarios(std::vector<Scenario>& scenarios) {
  scenarios.push_back(getting("shm-get"));
  scenarios.push_back(getting("shm-get-noreserve", SHM_NORESERVE));
  // Nothing tells that the filesystem pays when touched: its memory is reserved.
  scenarios.push_back(getting("shm-get-reserve"));
  scenarios.back().prepare = [](Actor& actor) {
    actor.addresses.file.open_windows();
    leave_path(actor);
  };
  scenarios.push_back(looking(
      "shm-get-existing", [](Actor& actor) { return get(actor, kKey, kSegmentBytes) < 0; }, 0));
  scenarios.push_back(looking(
      "shm-get-larger", [](Actor& actor) { return get(actor, kKey, kSegmentBytes + 1); }, -EINVAL));
  // It can't be reserved, and what was begun is torn down.
  scenarios.push_back(looking(
      "shm-get-no-memory",
      [](Actor& actor) { return get(actor, 0x99, kSegmentBytes, IPC_CREAT | 0600); }, -ENOMEM));
  scenarios.back().prepare = leave_path;
  // Between two others.
  scenarios.push_back(
      {.name = "shm-get-gap",
       .setup =
           [](Actor& actor) {
             for (int n = 0; n < 3; ++n) actor.make_segment(n, kSegmentPages);
             actor.expect(actor.control_segment(1, IPC_RMID) == 0, "there is no removal");
             actor.cell.layout().segment_space.cursor = actor.board.segment_records[0];
           },
       .operation =
           [](Actor& actor) { return get(actor, IPC_PRIVATE, kSegmentBytes, 0600) < 0 ? -1L : 0L; },
       .verify = [](Actor& actor) { return count_segments(actor, 2, kSegmentPages); }});
  // What nobody could give back is given back first.
  scenarios.push_back(getting("shm-get-abandoned"));
  scenarios.back().setup = [](Actor& actor) {
    segment_zero(actor);
    abandon(actor);
    actor.expect(actor.cell.layout().segment_space.abandoned == 1, "no segment is abandoned");
  };
  scenarios.back().verify = [](Actor& actor) {
    adopt_all(actor);
    return verify_new(actor);
  };
  add_sweep(scenarios);
}

}  // namespace crash
