#include "tests/crash/sem_tools.h"

#include <signal.h>
#include <unistd.h>

#include <string>

namespace crash {

namespace {

// Large sets are told by their first values.
std::string text_of(const Values& values) {
  std::string text;
  for (std::size_t n = 0; n < values.size() && n < 8; ++n)
    text += (n == 0 ? "" : ",") + std::to_string(values[n]);
  return text;
}

bool do_sleepers_fit(Actor& actor, const Change& change, bool is_whole) {
  for (std::size_t n = 0; n < change.results.size(); ++n) {
    if (change.results[n] == kHolds) continue;
    const bool waits = !is_whole || change.results[n] == kSleepsOn;
    if (actor.is_waiting(static_cast<int>(n)) != waits) return false;
  }
  return true;
}

}  // namespace

std::function<void(Actor&)> set_with(Values values) {
  return [values](Actor& actor) { actor.make_set(0, values); };
}

std::function<long(Actor&)> doing(Ops ops) {
  return [ops](Actor& actor) { return actor.semop(0, ops); };
}

std::function<long(Actor&)> holder(Ops ops) {
  return [ops](Actor& actor) {
    const long result = ops.empty() ? 0 : actor.semop(0, ops);
    actor.expect(result == 0, "a holder's semop returned %ld", result);
    kill(getpid(), SIGSTOP);
    return result;
  };
}

void expect_values(Actor& actor, const Values& expected, const char* when) {
  const Values found = actor.values(0);
  actor.expect(found == expected, "%s the values are [%s] and not [%s]", when,
               text_of(found).c_str(), text_of(expected).c_str());
}

std::function<void(Actor&)> ends_with(Values values) {
  return [values](Actor& actor) { expect_values(actor, values, "at the end"); };
}

void remove_set(Actor& actor, const std::vector<int>& sleepers) {
  actor.expect(actor.control_set(0, IPC_RMID) == 0, "the survivor cannot remove the set");
  for (int n : sleepers) {
    const long result = actor.result_of(n);
    actor.expect(result == -EIDRM, "sleeper %d returned %ld at the removal", n, result);
  }
}

Outcome verify_change(Actor& actor, const Change& change) {
  const Values found = actor.values(0);
  const bool is_whole = found == change.after && do_sleepers_fit(actor, change, true);
  const bool is_absent = found == change.before && do_sleepers_fit(actor, change, false);
  actor.expect(is_whole || is_absent,
               "the values are [%s]; [%s] or [%s], and the sleepers that go with them, would be "
               "right",
               text_of(found).c_str(), text_of(change.before).c_str(),
               text_of(change.after).c_str());
  actor.let_sleepers_go();
  if (!is_whole) {
    const long result = change.operation(actor);
    actor.expect(result == change.expected, "the survivor's operation returned %ld", result);
    expect_values(actor, change.after, "after the survivor's operation");
  }
  std::vector<int> asleep;
  for (int n = 0; n < static_cast<int>(change.results.size()); ++n) {
    const long wanted = change.results[n];
    if (wanted == kHolds) continue;
    if (wanted == kSleepsOn) {
      asleep.push_back(n);
      continue;
    }
    const long result = actor.result_of(n);
    actor.expect(result == wanted, "sleeper %d returned %ld and not %ld", n, result, wanted);
  }
  if (change.at_end.empty()) remove_set(actor, asleep);
  return is_whole ? Outcome::Whole : Outcome::Absent;
}

Scenario changing(const char* name, Change change, Actors sleepers, int doomed) {
  Scenario scenario = {.name = name,
                       .setup = set_with(change.before),
                       .sleepers = std::move(sleepers),
                       .doomed = doomed,
                       .operation = change.operation,
                       .expected = change.expected,
                       .verify = [change](Actor& actor) { return verify_change(actor, change); }};
  if (!change.at_end.empty()) scenario.verify_end = ends_with(change.at_end);
  return scenario;
}

Ops many(int count, short op, short flags) {
  Ops ops;
  for (int n = 0; n < count; ++n) ops.push_back({static_cast<unsigned short>(n), op, flags});
  return ops;
}

Values values_of(int count, unsigned short value) {
  return Values(static_cast<std::size_t>(count), value);
}

}  // namespace crash
