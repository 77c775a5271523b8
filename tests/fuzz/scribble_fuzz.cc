// A cell that somebody has scribbled in: calls on it may fail, and the cell may be given up, but
// the process that makes them neither crashes nor hangs, whatever stands where.
//
//   scribble_fuzz [--seed N] [--count N]      N cells, each spoiled otherwise
//   scribble_fuzz --seed N --only             one of them, told at length
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

#include "core/ipc/fault.h"
#include "tests/fuzz/population.h"
#include "tests/fuzz/scribble.h"

namespace fuzz {

namespace {

// A lock whose word names a living task that does not hold it is waited for some seconds.
constexpr unsigned kSeconds = 15;

// What one child does; a global for the hook, which gets no context.
struct Act {
  Player player;
  Rng rng{0};
  Scribbler* scribbler = nullptr;
  bool tells = false;
  int sleeps = 0;
};
Act* act;

void spoil(std::uint64_t most) {
  for (std::uint64_t count = act->rng.below(most) + 1; count > 0; --count) {
    act->scribbler->scribble(act->rng, act->tells);
  }
}

// In place of the futex: while the task sleeps the cell is spoiled under it; in the end a signal's
// handler takes the operation back. A wait that nothing ends is no fault of the task's.
int sleep_on_sand(ipcell::u32& word, ipcell::u32, ipcell::i64) {
  if (++act->sleeps % 12 == 0) _exit(0);
  if (act->rng.chance(50)) spoil(2);
  if (act->rng.chance(20)) ipcell::store_release(word, static_cast<ipcell::u32>(act->rng.below(5)));
  if (act->rng.chance(30)) (void)ipcell::interrupt_wait(act->player.task);
  return act->rng.chance(70) ? -ETIMEDOUT : -EINTR;
}

// semop(2) sleeps in the kernel. What happens meanwhile happens before it goes to sleep, by the
// handler of a signal that was put off; in the end its time is over.
void block_in_semop() {
  Player& player = act->player;
  player.task.on_deferred = [](ipcell::Task& task) {
    task.deferred = 0;
    if (act->rng.chance(70)) spoil(2);
    if (act->rng.chance(30)) (void)ipcell::interrupt_wait(task);
  };
  player.task.deferred = act->rng.chance(80);
  const struct timespec timeout = {0, act->rng.chance(10) ? 70'000'000 : 1'000'000};
  const int id = any_id(player, act->rng, ipcell::sem_registry(player.cell), kObjects);
  operate_any(player, act->rng, id, &timeout);
}

void block() {
  if (act->rng.chance(50)) return block_in_semop();
  act->player.task.sleep = sleep_on_sand;
  if (act->rng.chance(40)) return block_at_mqueue(act->player, act->rng);
  if (act->rng.chance(50)) {
    (void)ipcell::sys_msgrcv(act->player.task, 1, &buffer, 500, 77, 0);
  } else {
    buffer.type = 3;
    (void)ipcell::sys_msgsnd(act->player.task, 3, &buffer, 60, 0);
  }
}

// Rules of fault injection, of which none ends a process or takes its time.
void add_faults() {
  constexpr const char* kRules[kFaultRulesMade] = {
      "msgsnd[size>50]@2+3=full",
      "msgrcv[type=77]=err(EIDRM)",
      "semop|semtimedop p=0.5 per=object=err(ENOMEM)",
      "sysv.*@7+9=rmid(before)",
      "msgrcv|msgsnd[block]=eintr",
      "mq_*[name=\"/[a-c]*\",depth>=1] per=thread times=5=err(ENOMEM)->yield",
      "msgget=limit(msgmni=4)->err(ENOSPC)",
      "semtimedop[sem=0,key!=9]=busy->timeout",
  };
  for (const char* text : kRules) {
    ipcell::FaultRule rule = {};
    ipcell::FaultError error;
    if (!ipcell::parse_fault_rule(text, std::strlen(text), {}, &rule, &error)) {
      std::fprintf(stderr, "%s: %s\n", text, error.message);
      _exit(2);
    }
    (void)ipcell::add_fault_rule(act->player.task, rule);
  }
  if (act->rng.chance(20)) (void)ipcell::record_fault_sites(act->player.task, ipcell::kRecordCalls);
}

int play() {
  Player& player = act->player;
  const bool is_early = act->rng.chance(50);
  // Who clears the mark that the cell is given up lets calls go on where nothing is right any more.
  const bool clears_poison = act->rng.chance(30);
  if (is_early) spoil(6);
  if (player.attach() != 0) return 0;
  if (act->rng.chance(50)) add_faults();
  if (!is_early) {
    for (int n = 0; n < 5; ++n) call_one(player, act->rng, kObjects);
    spoil(6);
  }
  for (int n = 0; n < 40; ++n) {
    if (act->rng.chance(8)) block();
    call_one(player, act->rng, kObjects);
    if (clears_poison) player.cell.header().poisoned = 0;
  }
  char text[200];
  (void)ipcell::check_cell(player.cell, ipcell::CheckMode::Quiescent, text, sizeof text);
  (void)ipcell::check_cell(player.cell, ipcell::CheckMode::AfterReap, text, sizeof text);
  return 0;
}

int run_child(const std::string& path, std::uint64_t seed, bool tells) {
  Act own;
  act = &own;
  own.rng = Rng(seed);
  if (!own.player.open(path.c_str()) || !own.player.put_between_guards()) return 2;
  Scribbler scribbler(own.player.cell);
  own.scribbler = &scribbler;
  own.tells = tells;
  return play();
}

// Why cells were given up: shows that the fuzzer gets far enough in, and how.
class Reasons {
 public:
  void add(const std::string& story) {
    constexpr char kMark[] = "refuses further calls: ";
    const std::size_t start = story.find(kMark);
    if (start == std::string::npos) return;
    const std::size_t text = start + sizeof kMark - 1;
    ++counts_[story.substr(text, story.find('\n', text) - text)];
    ++cells_;
  }
  long cells() const { return cells_; }
  std::size_t count() const { return counts_.size(); }
  void print() const {
    for (const auto& [reason, count] : counts_) std::printf("  %6ld  %s\n", count, reason.c_str());
  }

 private:
  std::map<std::string, long> counts_;
  long cells_ = 0;
};

int run(const Options& options) {
  const Folder folder;
  const std::string path = folder.file("cell");
  Population population(path);
  if (!population.is_there()) {
    std::puts("the population could not be made");
    return 1;
  }
  Reasons reasons;
  long failures = 0;
  for (std::uint64_t seed = options.seed;
       seed < options.seed + static_cast<std::uint64_t>(options.count); ++seed) {
    population.restore();
    const ChildResult result =
        run_in_child(kSeconds, [&] { return run_child(path, seed, options.is_single); });
    reasons.add(result.story);
    if (result.is_ok) continue;
    ++failures;
    if (failures <= 100)
      std::printf("FAILED: --seed %lu --only: %s\n", static_cast<unsigned long>(seed),
                  result.story.c_str());
  }
  if (options.is_verbose) reasons.print();
  std::printf(
      "%ld cells scribbled in, from seed %lu; %ld given up, for %zu reasons; %ld failures\n",
      options.count, static_cast<unsigned long>(options.seed), reasons.cells(), reasons.count(),
      failures);
  return failures != 0;
}

}  // namespace

}  // namespace fuzz

int main(int argc, char** argv) { return fuzz::run(fuzz::parse_options(argc, argv, 1000)); }
