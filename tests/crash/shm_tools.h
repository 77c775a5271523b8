// What the scenarios of shared memory have in common. Segment 0 is the one that everything happens
// to.
#pragma once

#include "tests/crash/scenario.h"

namespace crash {

constexpr std::size_t kSegmentPages = 3;
constexpr std::size_t kSegmentBytes = kSegmentPages * ipcell::kPage;

// So many attachments of segment 0 are others'; the victim's own are so many `before` its operation
// and `after` it, `most` in between, and none when it is dead.
struct Attached {
  long others = 0;
  long before = 0, after = 0;
  long most = 0;
};
void expect_attached(Actor& actor, const Attached& expected);
// The same as a verify of something that leaves the segment with its text.
std::function<Outcome(Actor&)> stays_attached(Attached expected);
// The segment is gone when the victim is dead. While it lives, it may have `most` attachments.
std::function<Outcome(Actor&)> goes_with_victim(long most = 1);
void expect_gone(Actor& actor);
// There is no segment at all.
void expect_no_segments(Actor& actor);
// When all others are gone nobody has segment 0 attached.
void end_unattached(Actor& actor);

// Makes segment 0.
void segment_zero(Actor& actor);
// Makes segment 0, and removes it: it stays as long as somebody has it attached. The survivor does
// so until release_segment().
void removed_segment(Actor& actor);
void release_segment(Actor& actor);
// The victim attaches segment 0 so often before its operation, the last at `place`.
std::function<void(Actor&)> attach_before(int times);
// The same, and IPC_RMID behind it.
void attach_and_remove(Actor& actor);
// A sleeper that has segment 0 attached, so often.
std::function<long(Actor&)> attacher(int times = 1);
long attach_zero(Actor& actor);
long detach_place(Actor& actor);
long stat_zero(Actor& actor);

// The victim keeps segment 0 as it is, but for its own attachments.
Scenario attaching(const char* name, std::function<void(Actor&)> prepare,
                   std::function<long(Actor&)> operation, Attached attached);

}  // namespace crash
