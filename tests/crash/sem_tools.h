// What the scenarios of semaphores share. Set 0 is the one that everything happens to.
#pragma once

#include <climits>

#include "tests/crash/scenario.h"

namespace crash {

// What the sleepers of a scenario do.
using Actors = std::vector<std::function<long(Actor&)>>;

// What becomes of a sleeper by the change: its result, or one of these.
constexpr long kSleepsOn = LONG_MIN;
constexpr long kHolds = LONG_MIN + 1;  // it has made its operations, and waits for nothing

// A change of set 0 that happens or does not.
struct Change {
  Values before, after;  // no values: it can't have not happened
  std::function<long(Actor&)> operation;
  long expected = 0;
  std::vector<long> results = {};  // of the sleepers, doomed ones included
  // If not empty the set is not removed, and has these values when all others are gone.
  Values at_end = {};
};

Scenario changing(const char* name, Change change, Actors sleepers = {}, int doomed = 0);
Outcome verify_change(Actor& actor, const Change& change);

std::function<void(Actor&)> set_with(Values values);
// Operations on set 0: of a sleeper, or a victim.
std::function<long(Actor&)> doing(Ops ops);
// A sleeper that makes the operations, and then stops until the survivor lets it go.
std::function<long(Actor&)> holder(Ops ops);
void expect_values(Actor& actor, const Values& expected, const char* when);
std::function<void(Actor&)> ends_with(Values values);
// Removes set 0: whoever still sleeps gets EIDRM.
void remove_set(Actor& actor, const std::vector<int>& sleepers);

// So many operations, on one semaphore after the other from the first on.
Ops many(int count, short op, short flags = 0);
Values values_of(int count, unsigned short value);

}  // namespace crash
