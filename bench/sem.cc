// Semaphores in one process: no other process contends, nothing sleeps.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cpus.h"
#include "row.h"
#include "sem_set.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

constexpr int kMany = 1000;

// One iteration takes the semaphore and gives it back. The operations are written once, as a
// program would have them in constants.
template <class Api>
class DownAndUp {
 public:
  DownAndUp(int number, int flags)
      : down_(one_operation(number, -1, flags)), up_(one_operation(number, +1, flags)) {}

  void operator()(int set) {
    check(Api::semop(set, &down_, 1), "semop(-1)");
    check(Api::semop(set, &up_, 1), "semop(+1)");
  }

 private:
  sembuf down_;
  sembuf up_;
};

template <class Api>
void down_up(State& state, Api, int nsems, int flags) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SemSet<Api> set(nsems, 1);
  DownAndUp<Api> down_and_up(nsems / 2, flags);
  for (auto _ : state) down_and_up(set.id());
}

// The next of so many sets at each iteration.
template <class Api>
void down_up_in_turn(State& state, Api, std::size_t count, int flags) {
  const ScopedAffinity pinned(one_cpu().ours);
  std::vector<SemSet<Api>> sets;
  while (sets.size() < count) sets.emplace_back(1, 1);
  DownAndUp<Api> down_and_up(0, flags);
  std::size_t turn = 0;
  for (auto _ : state) {
    down_and_up(sets[turn].id());
    if (++turn == count) turn = 0;
  }
}

template <class Api>
void getval(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SemSet<Api> set(1, 1);
  for (auto _ : state) check(Api::semctl(set.id(), 0, GETVAL, {}), "semctl(GETVAL)");
}

template <class Api>
void semget_rmid(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;  // The set of the moment is not noted.
  const key_t key = SemSet<Api>::unused_key();
  for (auto _ : state) {
    const long id = check(Api::semget(key, 1, IPC_CREAT | IPC_EXCL | 0600), "semget");
    check(Api::semctl(static_cast<int>(id), 0, IPC_RMID, {}), "semctl(IPC_RMID)");
  }
}

Row growth(std::string name, Variant small, Variant large) {
  return {std::move(name), Question::kCost, 1.25, std::move(small), std::move(large)};
}

// What 999 more semaphores in the set cost a cell.
Row growth_of_set(std::string name, int flags) {
  const auto with = [flags](int nsems) {
    return [=](State& state) { down_up(state, Cell{}, nsems, flags); };
  };
  return growth(std::move(name), {"one_semaphore", true, with(1)},
                {"1000_semaphores", true, with(kMany)});
}

// What it costs a cell that the calls go around 1,000 sets.
Row growth_of_sets(std::string name, int flags) {
  const auto with = [flags](std::size_t count) {
    return [=](State& state) { down_up_in_turn(state, Cell{}, count, flags); };
  };
  return growth(std::move(name), {"one_set", true, with(1)}, {"1000_sets", true, with(kMany)});
}

}  // namespace

std::vector<Row> sem_rows() {
  return {
      versus_kernel("sem/down_up", 5.0, [](State& state, auto api) { down_up(state, api, 1, 0); }),
      versus_kernel("sem/down_up_undo", 4.0,
                    [](State& state, auto api) { down_up(state, api, 1, SEM_UNDO); }),
      versus_kernel("sem/getval", 5.0, [](State& state, auto api) { getval(state, api); }),
      versus_kernel("sem/semget_rmid", 1.0,
                    [](State& state, auto api) { semget_rmid(state, api); }),
      growth_of_set("sem/growth/1000_semaphores", 0),
      growth_of_set("sem/growth/1000_semaphores_undo", SEM_UNDO),
      growth_of_sets("sem/growth/1000_sets", 0),
      growth_of_sets("sem/growth/1000_sets_undo", SEM_UNDO),
  };
}

}  // namespace ipcell::bench
