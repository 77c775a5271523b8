// Shared memory's calls in one process: nobody else has the segments.
#include <benchmark/benchmark.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cpus.h"
#include "row.h"
#include "segment.h"

namespace ipcell::bench {
namespace {

using benchmark::State;

constexpr std::size_t kUsual = 64 * 1024;
constexpr std::size_t kMany = 1000;

template <class Api>
char* attach(int segment) {
  return reinterpret_cast<char*>(check(Api::shmat(segment, nullptr, 0), "shmat"));
}

template <class Api>
void detach(const char* start) {
  check(Api::shmdt(start), "shmdt");
}

// Stores into each page.
void touch(char* start, std::size_t size) {
  for (std::size_t at = 0; at < size; at += kPage) *static_cast<volatile char*>(start + at) = 1;
}

template <class Api>
void attach_detach(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Segment<Api> segment(kUsual);
  for (auto _ : state) detach<Api>(attach<Api>(segment.id()));
}

// One of 1,000 segments, from the middle of their making, while the others are attached.
template <class Api>
void attach_detach_among_many(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  std::vector<Segment<Api>> segments;
  std::vector<Attachment<Api>> attachments;
  for (std::size_t n = 0; n < kMany; ++n) {
    segments.emplace_back(kUsual);
    if (n != kMany / 2) attachments.emplace_back(segments.back().id());
  }
  const int segment = segments[kMany / 2].id();
  for (auto _ : state) detach<Api>(attach<Api>(segment));
}

// The next of so many segments at each iteration: none is attached twice in a row.
template <class Api>
void attach_detach_in_turn(State& state, Api, std::size_t count) {
  const ScopedAffinity pinned(one_cpu().ours);
  std::vector<Segment<Api>> segments;
  while (segments.size() < count) segments.emplace_back(kUsual);
  std::size_t turn = 0;
  for (auto _ : state) {
    detach<Api>(attach<Api>(segments[turn].id()));
    if (++turn == count) turn = 0;
  }
}

// The pages have memory from the first iteration on.
template <class Api>
void attach_touch_detach(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Segment<Api> segment(kUsual);
  for (auto _ : state) {
    char* const start = attach<Api>(segment.id());
    touch(start, kUsual);
    detach<Api>(start);
  }
}

template <class Api>
int get_private(std::size_t size) {
  return static_cast<int>(check(Api::shmget(IPC_PRIVATE, size, IPC_CREAT | 0600), "shmget"));
}

template <class Api>
void remove(int segment) {
  check(Api::shmctl(segment, IPC_RMID, nullptr), "shmctl(IPC_RMID)");
}

template <class Api>
void shmget_rmid(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;  // The segment of the moment is not noted.
  for (auto _ : state) remove<Api>(get_private<Api>(kUsual));
}

template <class Api>
void whole_life(State& state, Api, std::size_t size) {
  const ScopedAffinity pinned(one_cpu().ours);
  const SignalsHeld held;  // The segment of the moment is not noted.
  for (auto _ : state) {
    const int segment = get_private<Api>(size);
    char* const start = attach<Api>(segment);
    touch(start, size);
    detach<Api>(start);
    remove<Api>(segment);
  }
}

template <class Api>
void ipc_stat(State& state, Api) {
  const ScopedAffinity pinned(one_cpu().ours);
  const Segment<Api> segment(kUsual);
  const Attachment<Api> attachment(segment.id());
  shmid_ds ds;
  for (auto _ : state) check(Api::shmctl(segment.id(), IPC_STAT, &ds), "shmctl(IPC_STAT)");
}

// fork(2) as each side has it: the cell's counts what the child inherits.
long fork_as(Kernel) {
#if defined(__x86_64__) || defined(__aarch64__)
  return kernel_call(SYS_clone, SIGCHLD);
#endif
}
long fork_as(Cell) { return fork(); }

// One iteration is a child that has four attachments, and its end.
template <class Api>
void fork_and_wait(State& state, Api api) {
  const ScopedAffinity pinned(one_cpu().ours);
  std::vector<Segment<Api>> segments;
  std::vector<Attachment<Api>> attachments;
  while (segments.size() < 4) {
    segments.emplace_back(kUsual);
    attachments.emplace_back(segments.back().id());
  }
  for (auto _ : state) {
    const long child = check(fork_as(api), "fork");
    if (child == 0) kernel_call(SYS_exit_group, 0);
    int status = 0;
    if (waitpid(static_cast<pid_t>(child), &status, 0) != child || status != 0)
      throw std::runtime_error("a child did not end well");
  }
}

// The kernel's own cost grows by a fifth or so: its tree of mappings is deeper.
Row growth(std::string name, Variant small, Variant large) {
  return {std::move(name), Question::kCost, 1.4, std::move(small), std::move(large)};
}

// What it costs a cell that 999 other segments are attached.
Row growth_of_attachments() {
  return growth(
      "shm/growth/1000_attachments",
      {"one_segment", true, [](State& state) { attach_detach(state, Cell{}); }},
      {"1000_segments", true, [](State& state) { attach_detach_among_many(state, Cell{}); }});
}

}  // namespace

std::vector<Row> shm_rows() {
  return {
      versus_kernel("shm/attach_detach", 1.0,
                    [](State& state, auto api) { attach_detach(state, api); }),
      versus_kernel("shm/attach_detach/in_turn_of_4", 0.85,
                    [](State& state, auto api) { attach_detach_in_turn(state, api, 4); }),
      versus_kernel("shm/attach_detach/in_turn_of_1000", 0.85,
                    [](State& state, auto api) { attach_detach_in_turn(state, api, kMany); }),
      versus_kernel("shm/attach_detach/1000_attached", 0.95,
                    [](State& state, auto api) { attach_detach_among_many(state, api); }),
      versus_kernel("shm/attach_touch_detach", 1.0,
                    [](State& state, auto api) { attach_touch_detach(state, api); }),
      versus_kernel("shm/shmget_rmid", 1.0,
                    [](State& state, auto api) { shmget_rmid(state, api); }),
      versus_kernel("shm/whole_life/4096", 0.85,
                    [](State& state, auto api) { whole_life(state, api, kPage); }),
      versus_kernel("shm/whole_life/65536", 0.95,
                    [](State& state, auto api) { whole_life(state, api, kUsual); }),
      versus_kernel("shm/ipc_stat", 1.0, [](State& state, auto api) { ipc_stat(state, api); }),
      versus_kernel("shm/fork/4_attachments", std::nullopt,
                    [](State& state, auto api) { fork_and_wait(state, api); }),
      growth_of_attachments(),
  };
}

}  // namespace ipcell::bench
