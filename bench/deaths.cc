// ipcell-bench --deaths: how soon a death is noticed.
//
// Of the processes that hold units of a semaphore with SEM_UNDO one is killed, while a peer sleeps
// for a unit. Nobody else makes an IPC call from the kill to the peer's return, so the death itself
// has to wake it. The kill comes at a random time after the peer fell asleep.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cpus.h"
#include "peers.h"
#include "sem_set.h"
#include "shared.h"
#include "waits.h"

namespace ipcell::bench {
namespace {

using std::chrono::microseconds;

constexpr int kKills = 250;
constexpr int kFewestWaitUs = 5'000;
constexpr int kLongestWaitUs = 120'000;

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();  // The same in all processes.
}

template <class Call>
void await(Call call, long wanted, const char* what) {
  for (int patience = 100'000; check(call(), what) != wanted;) {
    if (--patience == 0) throw std::runtime_error(std::string("in vain waited for ") + what);
    std::this_thread::sleep_for(microseconds(100));
  }
}

template <class Api>
class Scene {
 public:
  explicit Scene(int holders) : set_(1, static_cast<unsigned short>(holders)) {
    while (static_cast<int>(holders_.size()) < holders) holders_.push_back(new_holder());
    await_value(0);
  }

  // Nanoseconds from the kill of a holder to the return of the peer that sleeps for its unit.
  std::int64_t kill_one(std::mt19937& random) {
    Peers sleeper;
    sleeper.add(anywhere_on_two().theirs, [this] { return take_and_stamp(); });
    await_sleeper();
    std::uniform_int_distribution<int> wait_us(kFewestWaitUs, kLongestWaitUs);
    std::this_thread::sleep_for(microseconds(wait_us(random)));
    std::unique_ptr<Peers>& victim = holders_[random() % holders_.size()];
    const std::int64_t start = now_ns();
    victim->kill();
    sleeper.finish();
    const std::int64_t latency = *returned_ - start;
    victim = new_holder();
    check(add<Api>(set_.id(), 0, +1), "semop(+1)");
    await_value(0);
    return latency;
  }

 private:
  std::unique_ptr<Peers> new_holder() const {
    auto holder = std::make_unique<Peers>();
    holder->add(anywhere_on_two().theirs, [this] { return hold(); });
    return holder;
  }
  int hold() const {
    if (add<Api>(set_.id(), 0, -1, SEM_UNDO) < 0) return 1;
    for (;;) pause();
  }
  int take_and_stamp() const {
    if (add<Api>(set_.id(), 0, -1) < 0) return 1;
    *returned_ = now_ns();
    return 0;
  }
  void await_value(long value) const {
    await([this] { return Api::semctl(set_.id(), 0, GETVAL, {}); }, value, "GETVAL");
  }
  void await_sleeper() const {
    await([this] { return Api::semctl(set_.id(), 0, GETNCNT, {}); }, 1, "GETNCNT");
  }

  SemSet<Api> set_;
  Shared<std::atomic<std::int64_t>> returned_;
  std::vector<std::unique_ptr<Peers>> holders_;
};

template <class Api>
void print_side(std::ostream& out, const char* side, int holders, unsigned seed) {
  std::mt19937 random(seed);
  Scene<Api> scene(holders);
  std::vector<std::int64_t> latencies;
  while (latencies.size() < kKills) latencies.push_back(scene.kill_one(random));
  std::sort(latencies.begin(), latencies.end());
  const auto ms = [&](std::size_t at) { return static_cast<double>(latencies[at]) / 1e6; };
  char line[128];
  std::snprintf(line, sizeof line, "%-8s %8d %10.3f %10.3f %10.3f %10.3f\n", side, holders, ms(0),
                ms(kKills / 2), ms(kKills * 99 / 100), ms(kKills - 1));
  out << line << std::flush;
}

}  // namespace

void measure_deaths(std::ostream& out, bool has_cell) {
  const unsigned seed = std::random_device()();
  char head[192];
  std::snprintf(head, sizeof head,
                "From a SEM_UNDO holder's SIGKILL to its sleeping peer's return: ms, %d kills each "
                "(seed %u)\n%-8s %8s %10s %10s %10s %10s\n",
                kKills, seed, "side", "holders", "least", "median", "99 %", "most");
  out << head;
  // A process cannot watch as many as 200 others at once (FUTEX_WAITV_MAX is 128).
  for (const int holders : {1, 200}) {
    print_side<Kernel>(out, "kernel", holders, seed);
    if (has_cell) print_side<Cell>(out, "cell", holders, seed);
  }
  out << '\n';
}

}  // namespace ipcell::bench
