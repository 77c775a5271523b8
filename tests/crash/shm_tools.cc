#include "tests/crash/shm_tools.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace crash {

void expect_attached(Actor& actor, const Attached& expected) {
  const Slate& victim = actor.board.victim;
  long least = std::min(expected.before, expected.after);
  long most = std::max({expected.before, expected.after, expected.most});
  if (victim.progress >= kDone) least = most = expected.after;
  if (victim.has_ended) least = most = 0;
  least += expected.others;
  most += expected.others;
  const long found = static_cast<long>(actor.attached(0));
  actor.expect(found >= least && found <= most, "nattch is %ld; %ld to %ld would be right", found,
               least, most);
}

std::function<Outcome(Actor&)> stays_attached(Attached expected) {
  return [expected](Actor& actor) {
    expect_attached(actor, expected);
    actor.check_text_of(0, kSegmentPages);
    return Outcome::Absent;
  };
}

void expect_gone(Actor& actor) {
  struct shmid_ds stat;
  const long result = actor.control_segment(0, IPC_STAT, &stat);
  actor.expect(result == -EINVAL, "IPC_STAT of what is removed returns %ld", result);
}

void expect_no_segments(Actor& actor) {
  struct shm_info info;
  const long result = actor.control_segment(0, SHM_INFO, &info);
  actor.expect(result == 0 && info.used_ids == 0 && info.shm_tot == 0,
               "SHM_INFO returns %ld, and counts %d segments of %lu pages", result, info.used_ids,
               info.shm_tot);
  actor.expect(actor.cell.layout().segment_space.first == 0, "a segment's pages are still taken");
}

std::function<Outcome(Actor&)> goes_with_victim(long most) {
  return [most](Actor& actor) {
    if (actor.board.victim.has_ended) {
      expect_gone(actor);
      expect_no_segments(actor);
      return Outcome::Whole;
    }
    struct shmid_ds stat;
    if (actor.control_segment(0, IPC_STAT, &stat) != 0) return Outcome::Whole;
    const auto found = static_cast<long>(stat.shm_nattch);
    actor.expect(found >= 1 && found <= most, "nattch is %ld", found);
    return Outcome::Absent;
  };
}

void end_unattached(Actor& actor) {
  actor.expect(actor.attached(0) == 0, "at the end nattch is %lu", actor.attached(0));
  actor.check_text_of(0, kSegmentPages);
}

void segment_zero(Actor& actor) { actor.make_segment(0, kSegmentPages); }

void removed_segment(Actor& actor) {
  segment_zero(actor);
  actor.expect(actor.attach_segment(0) == 0, "the survivor cannot attach");
  actor.expect(actor.control_segment(0, IPC_RMID) == 0, "the survivor cannot remove");
}

void release_segment(Actor& actor) {
  actor.expect(actor.detach_segment(actor.place) == 0, "the survivor cannot detach");
}

std::function<void(Actor&)> attach_before(int times) {
  return [times](Actor& actor) {
    for (int n = 0; n < times; ++n)
      actor.expect(actor.attach_segment(0) == 0, "the victim cannot attach");
  };
}

void attach_and_remove(Actor& actor) {
  attach_before(1)(actor);
  actor.expect(actor.control_segment(0, IPC_RMID) == 0, "the victim cannot remove");
}

std::function<long(Actor&)> attacher(int times) {
  return [times](Actor& actor) {
    for (int n = 0; n < times; ++n)
      actor.expect(actor.attach_segment(0) == 0, "a sleeper cannot attach");
    kill(getpid(), SIGSTOP);
    return 0L;
  };
}

long attach_zero(Actor& actor) { return actor.attach_segment(0); }

long detach_place(Actor& actor) { return actor.detach_segment(actor.place); }

long stat_zero(Actor& actor) {
  struct shmid_ds stat;
  return actor.control_segment(0, IPC_STAT, &stat);
}

Scenario attaching(const char* name, std::function<void(Actor&)> prepare,
                   std::function<long(Actor&)> operation, Attached attached) {
  return {.name = name,
          .setup = segment_zero,
          .prepare = std::move(prepare),
          .operation = std::move(operation),
          .verify = stays_attached(attached),
          .verify_end = end_unattached,
          .is_unordered = true};
}

}  // namespace crash
