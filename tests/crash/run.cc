#include "tests/crash/run.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/stage.h"
#include "tests/crash/used_pages.h"

namespace crash {

namespace {

// More instructions than any operation has: it goes round for ever.
constexpr long kEndless = 3'000'000;

constexpr unsigned kDriverSeconds = 100;

// Takes a victim from its marker to the instruction that it dies at.
class Walk {
 public:
  Walk(Stage& stage, Slate& slate, const Scenario& scenario)
      : stage_(stage), slate_(slate), scenario_(scenario), tracee_(slate.tid) {}

  // Fills `profile` in on the way to the end. False if the victim did not get there.
  bool record(Profile& profile);
  // Stops where `kill_at` instructions are done. `*has_drifted`: they were not those of the
  // profile.
  bool go_to(long kill_at, const Profile& profile, bool* has_drifted);
  void die(Death death, long kill_at, const Profile& profile);
  void release() { tracee_.release(); }

 private:
  bool step(Kind kind);
  bool fail(const char* what) {
    note_failure(stage_.board(), "%s", what);
    return false;
  }

  Stage& stage_;
  Slate& slate_;
  const Scenario& scenario_;
  Tracee tracee_;
};

bool Walk::step(Kind kind) {
  Halt halt = tracee_.step(kind);
  if (halt == Halt::Asleep) {
    Board& board = stage_.board();
    if (scenario_.awaken && !board.was_awakened && &slate_ == &board.victim) {
      board.was_awakened = true;
      if (!stage_.ask_survivor(kAwaken, kRunning, 5000)) return false;
    }
    halt = tracee_.wake_up();
  }
  if (halt == Halt::Asleep) return fail("the victim sleeps for ever");
  return halt == Halt::Stopped || fail("the victim died by itself");
}

bool Walk::record(Profile& profile) {
  UsedPages pages(stage_.cell());
  const auto end = reinterpret_cast<std::uint64_t>(&crash_end);
  for (std::uint64_t pc; (pc = tracee_.pc()) != end;) {
    if (profile.size() >= kEndless) return fail("the victim's operation does not end");
    const Kind kind = tracee_.next_kind();
    profile.pcs.push_back(pc);
    profile.kinds.push_back(kind);
    if (!step(kind)) return false;
    const bool has_changed = pages.has_changed();
    profile.changes_cell.push_back(has_changed || kind == Kind::SystemCall);
  }
  return true;
}

bool Walk::go_to(long kill_at, const Profile& profile, bool* has_drifted) {
  const long end = kill_at == kToTheEnd ? profile.size() : kill_at;
  for (long n = 0; n < end; ++n) {
    if (!step(profile.kinds[n])) return false;
  }
  const std::uint64_t expected =
      end < profile.size() ? profile.pcs[end] : reinterpret_cast<std::uint64_t>(&crash_end);
  if (tracee_.pc() != expected) *has_drifted = true;
  return true;
}

void Walk::die(Death death, long kill_at, const Profile& profile) {
  if (kill_at != kToTheEnd && kill_at < profile.size()) tracee_.enter(profile.kinds[kill_at]);
  if (death == Death::Thread) {
    stage_.board().is_thread = true;
    tracee_.exit_thread(slate_.pid);
    return;
  }
  tracee_.kill_process(slate_.pid);
  slate_.has_ended = true;
}

// What a victim that was let go on has to say.
void check_result(Board& board, const Slate& slate, long expected) {
  if (!await(const_cast<Slate&>(slate).progress, kDone, 5000)) {
    note_failure(board, "the victim does not come to its end");
  } else if (slate.result != expected) {
    note_failure(board, "the operation returned %ld and not %ld", slate.result, expected);
  }
}

class Performance {
 public:
  Performance(const Scenario& scenario, const Plan& plan, const std::string& folder)
      : scenario_(scenario), plan_(plan), stage_(scenario, folder) {}

  RunResult play();

 private:
  bool play_victims();
  bool play_first(Walk& walk);
  bool play_second(Walk& walk);

  const Scenario& scenario_;
  const Plan& plan_;
  Stage stage_;
  RunResult result_;
};

bool Performance::play_first(Walk& walk) {
  const bool is_recording = plan_.kill_at == kToTheEnd && plan_.profile->size() == 0;
  if (is_recording ? !walk.record(*plan_.profile)
                   : !walk.go_to(plan_.kill_at, *plan_.profile, &result_.has_drifted)) {
    return false;
  }
  stage_.start_contenders();
  Board& board = stage_.board();
  if (scenario_.is_pause || (is_recording && !scenario_.recovery)) {
    walk.release();
    check_result(board, board.victim, scenario_.expected);
  } else {
    walk.die(plan_.death, plan_.kill_at, *plan_.profile);
  }
  stage_.stop_lingering();
  return !board.has_failed;
}

bool Performance::play_second(Walk& walk) {
  const bool is_recording = plan_.kill2_at == kToTheEnd && plan_.profile2->size() == 0;
  if (is_recording ? !walk.record(*plan_.profile2)
                   : !walk.go_to(plan_.kill2_at, *plan_.profile2, &result_.has_drifted)) {
    return false;
  }
  walk.die(Death::Process, plan_.kill2_at, *plan_.profile2);
  return true;
}

// The second victim stands at its marker before the first begins: it is not to reap it on its way.
bool Performance::play_victims() {
  Board& board = stage_.board();
  const bool has_second = scenario_.recovery && plan_.profile2 != nullptr;
  if (has_second && !stage_.start_victim(board.recoverer, true, false)) return false;
  if (!stage_.start_victim(board.victim, false, plan_.death == Death::Thread)) return false;
  stage_.kill_doomed();
  Walk first(stage_, board.victim, scenario_);
  if (!play_first(first)) return false;
  if (!has_second) return true;
  Walk second(stage_, board.recoverer, scenario_);
  return play_second(second);
}

RunResult Performance::play() {
  Board& board = stage_.board();
  if (!board.has_failed) stage_.set_up(plan_.is_late);
  if (!board.has_failed && play_victims() && stage_.verify()) stage_.finish();
  if (board.has_failed) result_.violation = board.failure;
  result_.outcome = board.outcome;
  result_.was_awakened = board.was_awakened;
  return result_;
}

}  // namespace

bool can_trace() {
  const pid_t pid = fork();
  if (pid == 0) {
    if (!Tracee::invite()) _exit(1);
    raise(SIGSTOP);
    _exit(0);
  }
  Tracee tracee(pid);
  int status;
  const bool stopped =
      pid > 0 && tracee.await_first_stop() && tracee.step(Kind::Plain) == Halt::Stopped;
  if (pid > 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  return stopped;
}

RunResult run_once(const Scenario& scenario, const Plan& plan, const std::string& folder) {
  // If the driver itself hangs: every other wait has an end.
  alarm(kDriverSeconds);
  Performance performance(scenario, plan, folder);
  const RunResult result = performance.play();
  alarm(0);
  return result;
}

}  // namespace crash
