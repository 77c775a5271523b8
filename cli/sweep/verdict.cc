#include "cli/sweep/verdict.h"

#include <algorithm>

#include <csignal>
#include <cstring>
#include <set>
#include <sstream>
#include <sys/ipc.h>
#include <sys/wait.h>

#include <fmt/format.h>

namespace ipcell::cli {

namespace {

constexpr std::size_t kMessageRoom = 2000;
constexpr std::size_t kLineRoom = 120;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string shortened(std::string text, std::size_t room) {
  if (text.size() > room) text = text.substr(0, room) + "…";
  return text;
}

// Decimal ones, and those that begin with 0x.
std::string mask_numbers(const std::string& text) {
  std::string result;
  for (std::size_t n = 0; n < text.size();) {
    const bool is_hex = text.compare(n, 2, "0x") == 0;
    const char* const digits = is_hex ? "0123456789abcdefABCDEF" : "0123456789";
    const std::size_t start = is_hex ? n + 2 : n;
    const std::size_t end = std::min(text.find_first_not_of(digits, start), text.size());
    result += end == n ? text[n] : '#';
    n = end == n ? n + 1 : end;
  }
  return result;
}

// A line of `text` that `known` has not; empty if there is none.
std::string new_line(const std::string& text, const std::string& known) {
  const std::vector<std::string> old = lines_of(known);
  const std::set<std::string> set(old.begin(), old.end());
  for (const std::string& line : lines_of(text)) {
    if (!line.empty() && set.count(line) == 0) return line;
  }
  return "";
}

// Where two texts part, in words.
std::string describe_difference(const std::string& expected, const std::string& got) {
  const std::vector<std::string> before = lines_of(expected), after = lines_of(got);
  for (std::size_t n = 0; n < std::max(before.size(), after.size()); ++n) {
    const bool has_both = n < before.size() && n < after.size();
    if (has_both && before[n] == after[n]) continue;
    if (n >= after.size()) {
      return fmt::format("line {} is missing: \"{}\"", n + 1, shortened(before[n], kLineRoom));
    }
    if (n >= before.size()) {
      return fmt::format("line {} is one too many: \"{}\"", n + 1, shortened(after[n], kLineRoom));
    }
    return fmt::format("line {} is \"{}\" instead of \"{}\"", n + 1, shortened(after[n], kLineRoom),
                       shortened(before[n], kLineRoom));
  }
  return "the end of a line";
}

bool is_crash_signal(int number) {
  for (int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    if (number == crash) return true;
  }
  return false;
}

// A shell's status says that what it started has crashed.
bool tells_of_crash(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) > 128 &&
         is_crash_signal(WEXITSTATUS(status) - 128);
}

// Judges one end of the program by the undisturbed ones.
class Judge {
 public:
  Judge(const Baseline& baseline, const Ending& ending, const std::optional<Ending>& check)
      : baseline_(baseline), ending_(ending), check_(check) {}

  Verdict judge() const {
    Verdict verdict = judge_end();
    verdict.message = shortened(ending_.err, kMessageRoom);
    return verdict;
  }

 private:
  Verdict judge_end() const;
  Verdict judge_status() const;
  Verdict judge_output() const;

  bool has_same_out() const {
    return baseline_.out_likeness == Likeness::None ||
           normal_form(ending_.out, baseline_.out_likeness) == baseline_.out;
  }
  // What the program said that it does not say when nothing happens.
  std::string word() const {
    const std::string err =
        new_line(normal_form(ending_.err, baseline_.err_likeness), baseline_.err);
    if (!err.empty() || baseline_.out_likeness == Likeness::None) return err;
    return new_line(normal_form(ending_.out, baseline_.out_likeness), baseline_.out);
  }

  const Baseline& baseline_;
  const Ending& ending_;
  const std::optional<Ending>& check_;
};

Verdict Judge::judge_end() const {
  if (ending_.has_timed_out) {
    Verdict verdict{Class::Hang};
    verdict.detail = fmt::format("it did not end within {:.1f} s", ending_.seconds);
    verdict.waits = ending_.waits;
    return verdict;
  }
  if (ending_.status == baseline_.status) {
    if (is_crash_signal(ending_.orphan_signal)) {
      return {Class::Crash, false,
              fmt::format("a process that it started died of signal {} ({})", ending_.orphan_signal,
                          strsignal(ending_.orphan_signal))};
    }
    return judge_output();
  }
  return judge_status();
}

Verdict Judge::judge_status() const {
  const std::string status = describe_status(ending_.status);
  if (WIFSIGNALED(ending_.status) || tells_of_crash(ending_.status)) {
    return {Class::Crash, false, status};
  }
  if (WEXITSTATUS(ending_.status) == 0) {
    return {Class::SilentWrong, false,
            fmt::format("exit status 0 instead of {}", describe_status(baseline_.status))};
  }
  const std::string said = word();
  if (said.empty()) return {Class::SilentWrong, false, status + " without a message"};
  return {Class::Handled, false, fmt::format("{}: {}", status, shortened(said, kLineRoom))};
}

Verdict Judge::judge_output() const {
  if (!has_same_out()) {
    return {Class::SilentWrong, false,
            fmt::format("{}, but the output differs: {}", describe_status(ending_.status),
                        describe_difference(baseline_.out,
                                            normal_form(ending_.out, baseline_.out_likeness)))};
  }
  if (check_ && (check_->has_timed_out || check_->status != 0)) {
    const std::vector<std::string> lines = lines_of(check_->err + check_->out);
    const std::string said = lines.empty() ? "" : ": " + shortened(lines[0], kLineRoom);
    return {Class::SilentWrong, false,
            fmt::format("{}, but the check fails ({}){}", describe_status(ending_.status),
                        check_->has_timed_out ? "it does not end" : describe_status(check_->status),
                        said)};
  }
  return {Class::Same};
}

// True if the fault hits the call that would remove what is left.
bool is_removal(const SweepSite& site) {
  const bool is_control =
      site.op == FaultOp::Msgctl || site.op == FaultOp::Semctl || site.op == FaultOp::Shmctl;
  return site.op == FaultOp::MqUnlink || (is_control && (site.command & 0xff) == IPC_RMID);
}

bool is_fine(const Verdict& verdict) {
  return verdict.what == Class::Same || verdict.what == Class::Handled;
}

// `is_alone`: SIGKILL took the only process that could have removed it.
Verdict with_leak(const Verdict& verdict, const ObjectCounts& left, bool is_alone,
                  const SweepSite& site) {
  Verdict result = verdict;
  const std::string before = verdict.detail.empty() ? "" : verdict.detail + "; ";
  result.detail = fmt::format("{}left behind: {}", before, describe(left));
  // It has said that it can't cope with that.
  if (verdict.is_of_restart) return result;
  result.what = Class::Leak;
  if (is_alone) {
    result.is_expected = true;
    result.detail += "; expected: who could have removed it was killed by SIGKILL";
  } else if (verdict.what == Class::Handled && is_removal(site)) {
    result.is_expected = true;
    result.detail += "; expected: it is the removal that failed, and the program said so";
  }
  return result;
}

Verdict judge_restart(const Baseline& baseline, const Observation& seen, bool was_killed) {
  const std::optional<Ending> none;
  Verdict verdict = Judge(baseline, *seen.restart, was_killed ? seen.check : none).judge();
  if (verdict.what == Class::Same) return verdict;
  verdict.is_of_restart = true;
  verdict.detail = "the next start: " + verdict.detail;
  return verdict;
}

// What did not come about has no part in what came of the run.
Verdict not_reached(const Verdict& verdict, const Observation& seen) {
  if (verdict.what == Class::Same) {
    return {Class::NotReached, false,
            seen.fired != 0 ? "Linux could not have given that to the call that was made there"
                            : "no such call was made"};
  }
  Verdict result = verdict;
  result.what = Class::Flaky;
  result.detail = "nothing was injected, but: " + verdict.detail;
  return result;
}

}  // namespace

const char* name_of(Class what) {
  switch (what) {
    case Class::Same: return "same";
    case Class::Handled: return "handled";
    case Class::SilentWrong: return "silent wrong";
    case Class::Crash: return "crash";
    case Class::Hang: return "hang";
    case Class::Leak: return "leak";
    case Class::NotReached: return "not reached";
    case Class::Flaky: return "flaky";
    case Class::Broken: return "broken";
  }
  return "?";
}

std::optional<Class> class_of_name(const std::string& name) {
  for (const Class what : kAllClasses) {
    if (name == name_of(what)) return what;
  }
  return std::nullopt;
}

const char* describe(Likeness likeness) {
  switch (likeness) {
    case Likeness::Exact: return "exactly";
    case Likeness::AnyOrder: return "with its lines sorted";
    case Likeness::AnyNumbers: return "with all numbers masked";
    case Likeness::AnyNumbersAndOrder: return "with all numbers masked and its lines sorted";
    case Likeness::None: return "not at all";
  }
  return "?";
}

std::string normal_form(const std::string& text, Likeness likeness) {
  if (likeness == Likeness::Exact || likeness == Likeness::None) return text;
  std::string result = text;
  if (likeness == Likeness::AnyNumbers || likeness == Likeness::AnyNumbersAndOrder) {
    result = mask_numbers(result);
  }
  if (likeness == Likeness::AnyOrder || likeness == Likeness::AnyNumbersAndOrder) {
    std::vector<std::string> lines = lines_of(result);
    std::sort(lines.begin(), lines.end());
    result = fmt::format("{}", fmt::join(lines, "\n"));
  }
  return result;
}

Likeness likeness_of(const std::vector<std::string>& texts) {
  for (const Likeness likeness :
       {Likeness::Exact, Likeness::AnyOrder, Likeness::AnyNumbers, Likeness::AnyNumbersAndOrder}) {
    const bool are_alike = std::all_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return normal_form(text, likeness) == normal_form(texts[0], likeness);
    });
    if (are_alike) return likeness;
  }
  return Likeness::None;
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) {
    return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

Verdict judge(const Baseline& baseline, const Trial& trial, const SweepSite& site,
              const Observation& seen) {
  if (!seen.failure.empty()) return {Class::Broken, false, seen.failure};
  if (!seen.damage.empty()) {
    return {Class::Broken, false,
            fmt::format("the cell is damaged, which is a fault of ipcell: {}", seen.damage)};
  }
  const bool kills = trial.group == EffectGroup::Kill && seen.fired != 0;
  const bool was_killed = kills && !seen.ending.has_timed_out && WIFSIGNALED(seen.ending.status) &&
                          WTERMSIG(seen.ending.status) == SIGKILL;
  Verdict verdict;
  if (!was_killed) verdict = Judge(baseline, seen.ending, seen.check).judge();
  if (is_fine(verdict) && kills && seen.restart && baseline.can_restart) {
    const Verdict next = judge_restart(baseline, seen, was_killed);
    if (next.what != Class::Same) verdict = next;
  }
  const bool is_refused = seen.fired != 0 && seen.refused >= seen.fired;
  if (seen.fired == 0 || (is_refused && verdict.what == Class::Same)) {
    return not_reached(verdict, seen);
  }
  const ObjectCounts left = excess(seen.left, baseline.left);
  if (!is_fine(verdict) || is_none(left)) return verdict;
  return with_leak(verdict, left, was_killed || (kills && baseline.processes <= 1), site);
}

bool is_like_first(const Baseline& baseline, const Ending& restart) {
  return Judge(baseline, restart, std::nullopt).judge().what == Class::Same;
}

Verdict combine(const std::vector<Verdict>& verdicts) {
  Verdict result = verdicts.front();
  std::vector<std::string> names;
  bool are_alike = true;
  for (const Verdict& verdict : verdicts) {
    if (verdict.what == Class::Broken) return verdict;
    are_alike = are_alike && verdict.what == verdicts.front().what;
    const std::string name = name_of(verdict.what);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (are_alike) return result;
  result.what = Class::Flaky;
  result.is_expected = false;
  result.detail =
      fmt::format("{} in {} runs: {}", fmt::join(names, ", "), verdicts.size(), result.detail);
  return result;
}

}  // namespace ipcell::cli
