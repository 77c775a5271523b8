// shmat and shmdt: the counts, the records, and the segment that goes with its last attachment.
#include <sys/mman.h>

#include <cerrno>

#include "tests/crash/shm_tools.h"

namespace crash {

namespace {

// A removed segment that others have attached stays until they are gone.
std::function<Outcome(Actor&)> goes_with_others(Attached attached) {
  return [attached](Actor& actor) {
    expect_attached(actor, attached);
    return Outcome::Absent;
  };
}

void end_gone(Actor& actor) {
  expect_gone(actor);
  expect_no_segments(actor);
}

// Memory of the victim's own, where something else may be attached.
unsigned char* own_memory(Actor& actor, std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  actor.expect(memory != MAP_FAILED, "there is no memory");
  return static_cast<unsigned char*>(memory);
}

void add_attaching(std::vector<Scenario>& scenarios) {
  // The process's record, the attachment's, and the way to the pages.
  scenarios.push_back(attaching("shm-at-first", [](Actor&) {}, attach_zero, {0, 0, 1}));
  // There are records.
  scenarios.push_back(attaching("shm-at-again",
                                [](Actor& actor) {
                                  attach_before(1)(actor);
                                  detach_place(actor);
                                },
                                attach_zero, {0, 0, 1}));
  // It is made from what the one before has left.
  scenarios.push_back(attaching("shm-at-seed", attach_before(3), attach_zero, {0, 3, 4}));
  scenarios.push_back(attaching(
      "shm-at-read-only", attach_before(1),
      [](Actor& actor) { return actor.attach_segment(0, nullptr, SHM_RDONLY); }, {0, 1, 2}));
  // Beside others, dead ones too.
  scenarios.push_back(attaching("shm-at-beside", [](Actor&) {}, attach_zero, {2, 0, 1}));
  scenarios.back().sleepers = {attacher(3), attacher(2)};
  scenarios.back().doomed = 1;
  // What stood at the address is detached: all of one, and a part of the other.
  scenarios.push_back(attaching(
      "shm-at-remap",
      [](Actor& actor) {
        unsigned char* memory = own_memory(actor, 2 * kSegmentBytes);
        for (std::size_t n = 0; n < 2; ++n) {
          actor.expect(actor.attach_segment(0, memory + n * kSegmentBytes, SHM_REMAP) == 0,
                       "the victim cannot attach");
        }
        actor.place = memory + ipcell::kPage;
      },
      [](Actor& actor) { return actor.attach_segment(0, actor.place, SHM_REMAP); }, {0, 2, 3, 5}));
  // The address is taken, and the attachment is taken back.
  scenarios.push_back(attaching(
      "shm-at-taken",
      [](Actor& actor) {
        attach_before(1)(actor);
        actor.place = own_memory(actor, ipcell::kPage);
      },
      [](Actor& actor) { return actor.attach_segment(0, actor.place); }, {0, 1, 1, 2}));
  scenarios.back().expected = -EINVAL;
  // A removed segment that somebody has.
  scenarios.push_back(attaching("shm-at-removed", [](Actor&) {}, attach_zero, {1, 0, 1}));
  scenarios.back().setup = removed_segment;
  scenarios.back().verify = [](Actor& actor) {
    // Detached here, it goes with the victim.
    expect_attached(actor, {1, 0, 1});
    release_segment(actor);
    return goes_with_victim()(actor);
  };
  scenarios.back().verify_end = end_gone;
  // Several segments: the process's record is there, the attachment's is not.
  scenarios.push_back(attaching(
      "shm-at-other",
      [](Actor& actor) { actor.expect(actor.attach_segment(1) == 0, "the victim cannot attach"); },
      attach_zero, {0, 0, 1}));
  scenarios.back().setup = [](Actor& actor) {
    segment_zero(actor);
    actor.make_segment(1, kSegmentPages);
  };
}

void add_detaching(std::vector<Scenario>& scenarios) {
  scenarios.push_back(attaching("shm-dt", attach_before(1), detach_place, {0, 1, 0}));
  scenarios.push_back(attaching("shm-dt-one-of-two", attach_before(2), detach_place, {0, 2, 1}));
  // Cut in three, of which the middle one is away.
  scenarios.push_back(attaching("shm-dt-pieces",
                                [](Actor& actor) {
                                  attach_before(1)(actor);
                                  const auto start = reinterpret_cast<ipcell::u64>(actor.place);
                                  actor.expect(ipcell::sys_munmap(actor.task, start + ipcell::kPage,
                                                                  ipcell::kPage) == 0,
                                               "the victim cannot unmap");
                                },
                                detach_place, {0, 2, 0}));
  // The last of a removed segment: it goes, and its pages are given back.
  scenarios.push_back({.name = "shm-dt-removes",
                       .setup = segment_zero,
                       .prepare = attach_and_remove,
                       .operation = detach_place,
                       .verify = goes_with_victim(),
                       .verify_end = end_gone,
                       .is_unordered = true});
  // The last but one: who had the last is dead, and the victim or another finds out.
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "shm-dt-removes-dead";
  scenarios.back().sleepers = {attacher()};
  scenarios.back().doomed = 1;
  // Others have it still.
  scenarios.push_back(scenarios.back());
  scenarios.back().name = "shm-dt-removed";
  scenarios.back().doomed = 0;
  scenarios.back().verify = goes_with_others({1, 1, 0});
}

}  // namespace

void add_shm_attach_scenarios(std::vector<Scenario>& scenarios) {
  add_attaching(scenarios);
  add_detaching(scenarios);
}

}  // namespace crash
