// Semaphores between processes: hand-off, waking and contention.
//
// The row's own process is the one that is timed. Its peers work until their set is removed.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "cpus.h"
#include "peers.h"
#include "row.h"
#include "sem_set.h"
#include "shared.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

enum Semaphore { kThere, kBack };

template <class Api>
int echo(int set) {
  long result = 0;
  while (result >= 0) {
    result = add<Api>(set, kThere, -1);
    if (result >= 0) result = add<Api>(set, kBack, +1);
  }
  return status_of_end(result);
}

template <class Api>
void take(const Peers& peers, int set, int number) {
  check(with_living(peers, [&] { return add<Api>(set, number, -1); }), "semop(-1)");
}

// One iteration is a unit given there and a unit given back.
template <class Api>
void ping_pong(State& state, Api, const Placement& placement) {
  const ScopedAffinity pinned(placement.ours);
  SemSet<Api> set(2, 0);
  Peers peers;
  peers.add(placement.theirs, [&] { return echo<Api>(set.id()); });
  {
    const Ticker ticker;
    for (auto _ : state) {
      check(add<Api>(set.id(), kThere, +1), "semop(+1)");
      take<Api>(peers, set.id(), kBack);
    }
  }
  set.remove();
  peers.finish();
}

// What the contending processes share: written by whoever has the semaphore.
struct Guarded {
  std::atomic<std::uint64_t> turns = 0;
  std::uint64_t scratch = 1;
};

// Some hundred nanoseconds' worth, of which the compiler can leave out nothing.
void work_a_little(Guarded& guarded) {
  std::uint64_t value = guarded.scratch;
  for (int step = 0; step < 64; ++step) value = value * 6364136223846793005u + 1442695040888963407u;
  guarded.scratch = value;
  guarded.turns.store(guarded.turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

template <class Api>
int contend(int set, Guarded& guarded) {
  long result = 0;
  while (result >= 0) {
    result = add<Api>(set, 0, -1);
    if (result < 0) break;
    work_a_little(guarded);
    result = add<Api>(set, 0, +1);
  }
  return status_of_end(result);
}

// One iteration is one turn, of whichever process: the semaphore taken, a little work, and given
// back.
template <class Api>
void contention(State& state, Api, const Placement& placement, int processes) {
  constexpr std::uint64_t kBatch = 64;
  const ScopedAffinity pinned(placement.ours);
  const Shared<Guarded> guarded;
  SemSet<Api> set(1, 1);
  Peers peers;
  for (int peer = 1; peer < processes; ++peer)
    peers.add(placement.theirs, [&] { return contend<Api>(set.id(), *guarded); });
  {
    const Ticker ticker;
    std::uint64_t goal = guarded->turns.load(std::memory_order_relaxed);
    while (state.KeepRunningBatch(kBatch)) {
      for (goal += kBatch; guarded->turns.load(std::memory_order_relaxed) < goal;) {
        take<Api>(peers, set.id(), 0);
        work_a_little(*guarded);
        check(add<Api>(set.id(), 0, +1), "semop(+1)");
      }
    }
  }
  set.remove();
  peers.finish();
}

}  // namespace

std::vector<Row> sem_process_rows() {
  return {
      versus_kernel("sem/ping_pong/two_cpus", 5.0,
                    [](State& state, auto api) { ping_pong(state, api, two_cpus()); }),
      versus_kernel("sem/ping_pong/one_cpu", 1.0,
                    [](State& state, auto api) { ping_pong(state, api, one_cpu()); }),
      versus_kernel("sem/eight_processes/two_cpus", 1.0,
                    [](State& state, auto api) { contention(state, api, anywhere_on_two(), 8); }),
  };
}

}  // namespace ipcell::bench
