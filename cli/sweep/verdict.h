// What a run with a fault says about the program, compared with undisturbed ones.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/sweep/observation.h"
#include "cli/sweep/plan.h"

namespace ipcell::cli {

enum class Class {
  Same,         // status and output as undisturbed
  Handled,      // it said that it could not do its work
  SilentWrong,  // it did not do its work, and did not say so
  Crash,
  Hang,
  Leak,        // objects are left
  NotReached,  // the fault did not come about
  Flaky,       // differs from time to time
  Broken       // the run could not be made, or has shown a fault of ipcell's own
};
constexpr Class kAllClasses[] = {Class::Broken,      Class::Crash, Class::Hang,
                                 Class::SilentWrong, Class::Leak,  Class::Flaky,
                                 Class::Handled,     Class::Same,  Class::NotReached};
// "silent wrong"
const char* name_of(Class what);
// Of a name; nothing if there is no such class.
std::optional<Class> class_of_name(const std::string& name);

struct Verdict {
  Class what = Class::Same;
  bool is_expected = false;        // bad, but no fault of the program's
  std::string detail;              // a sentence; may be empty for Same
  std::vector<std::string> waits;  // of Hang
  std::string message;             // what the program wrote to standard error, cut
  bool is_of_restart = false;      // it is the start after a kill that shows it

  // True if it is one that the user has to look at.
  bool is_finding() const {
    return !is_expected && what != Class::Same && what != Class::Handled &&
           what != Class::NotReached;
  }
};

// How a stream is made comparable, the strictest way first.
enum class Likeness { Exact, AnyOrder, AnyNumbers, AnyNumbersAndOrder, None };
const char* describe(Likeness likeness);
std::string normal_form(const std::string& text, Likeness likeness);
// The strictest way in which all are alike.
Likeness likeness_of(const std::vector<std::string>& texts);

// What undisturbed runs have in common.
struct Baseline {
  int status = 0;  // of waitpid(2)
  Likeness out_likeness = Likeness::Exact, err_likeness = Likeness::Exact;
  std::string out, err;  // in that form
  ObjectCounts left;     // at most
  double seconds = 0;    // the longest
  double timeout = 0;    // of disturbed runs
  bool has_survivors = false;
  bool is_restart_known = false;
  bool can_restart = false;   // a second start in the same cell is like the first
  std::size_t processes = 0;  // that make IPC calls, as far as sites tell
  std::vector<SweepSite> sites;
  u64 lost_sites = 0;
  u32 runs = 0;
};

// "exit status 1", "signal 11 (Segmentation fault)"
std::string describe_status(int status);

Verdict judge(const Baseline& baseline, const Trial& trial, const SweepSite& site,
              const Observation& seen);

// True if a second start in the same cell, undisturbed, is like the first.
bool is_like_first(const Baseline& baseline, const Ending& restart);

// Of several runs of the same trial.
Verdict combine(const std::vector<Verdict>& verdicts);

}  // namespace ipcell::cli
