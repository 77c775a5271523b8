// What was seen of one run of the program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/sweep/site.h"

namespace ipcell::cli {

// Objects in a cell.
struct ObjectCounts {
  u32 queues = 0, sets = 0, segments = 0, posix_queues = 0, posix_names = 0;
};
// "1 message queue, 2 semaphore sets"; empty if there is nothing.
std::string describe(const ObjectCounts& counts);
// What `now` has more than `before`.
ObjectCounts excess(const ObjectCounts& now, const ObjectCounts& before);
inline bool is_none(const ObjectCounts& counts) {
  return (counts.queues | counts.sets | counts.segments | counts.posix_queues |
          counts.posix_names) == 0;
}

// The end of a program that was started, and of all that it started.
struct Ending {
  bool has_timed_out = false;
  int status = 0;         // of waitpid(2); void if it has timed out
  int orphan_signal = 0;  // a process that had lost its parent died of this one
  u32 survivors = 0;      // processes that lived longer than the program, and were killed
  double seconds = 0;
  std::string out, err;            // as far as they were kept
  std::vector<std::string> waits;  // if it has timed out: who waits for whom
};

struct Observation {
  std::string failure;  // why the run could not be made; empty if it was
  Ending ending;
  ObjectCounts left;
  u64 fired = 0, refused = 0;     // of the rule
  std::string damage;             // what is wrong with the cell; empty as it should be
  std::optional<Ending> check;    // of the command that judges
  std::optional<Ending> restart;  // the program once more in the same cell, undisturbed
  std::vector<SweepSite> sites;   // if calls were recorded
  u64 lost_sites = 0;
};

// As bytes for a pipe, and back. Throws if they are none.
std::string pack(const Observation& seen);
Observation unpack(const std::string& bytes);

}  // namespace ipcell::cli
