// The memory of attached segments, which should be as fast as the kernel's.
//
// The two sides differ by less than the places of their pages in the machine do, and by much less
// than a busy machine does from one moment to the next. So both are used in turns, and several
// pairs of segments.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cpus.h"
#include "row.h"
#include "segment.h"

namespace ipcell::bench {
namespace {

constexpr std::size_t kSize = 64 << 20;
constexpr std::size_t kChunk = 64 << 10;  // Stays in a cache beside the segment.
constexpr std::size_t kLine = 64;
constexpr int kPairs = 8;
constexpr int kTurns = 32;

// An attached segment whose pages all have memory.
template <class Api>
class Memory {
 public:
  Memory() : segment_(kSize), attachment_(segment_.id()) { std::memset(data(), 1, kSize); }

  char* data() const { return attachment_.data(); }

 private:
  Segment<Api> segment_;
  Attachment<Api> attachment_;
};

// The compiler leaves out nothing that comes before it.
void keep_stores() { __asm__ volatile("" : : : "memory"); }

void write_all(char* memory) {
  static const std::vector<char> chunk(kChunk, 2);
  for (std::size_t at = 0; at < kSize; at += kChunk) {
    std::memcpy(memory + at, chunk.data(), kChunk);
    keep_stores();
  }
}

void read_all(char* memory) {
  static std::vector<char> chunk(kChunk);
  for (std::size_t at = 0; at < kSize; at += kChunk) {
    std::memcpy(chunk.data(), memory + at, kChunk);
    keep_stores();
  }
}

// Reads 64 bytes somewhere, and writes them changed.
void access_line(char* memory, std::uint64_t random) {
  char* const place = memory + random % (kSize / kLine) * kLine;
  std::uint64_t line[kLine / sizeof(std::uint64_t)];
  std::memcpy(line, place, kLine);
  for (std::uint64_t& word : line) word += random;
  std::memcpy(place, line, kLine);
}

constexpr int kAccesses = 100'000;

void access_lines(char* memory) {
  static std::uint64_t random = 0x9e3779b97f4a7c15;
  for (int n = 0; n < kAccesses; ++n) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    access_line(memory, random);
    keep_stores();
  }
}

struct Work {
  void (*run)(char* memory);
  int operations;  // How many it is made of.
};

double time_of(const Work& work, char* memory) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  work.run(memory);
  const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
  return passed.count() / work.operations;
}

// Who goes first changes from turn to turn.
Turn take_turn(const Work& work, char* kernel, char* cell, bool is_cell_first) {
  if (!is_cell_first) {
    const double time = time_of(work, kernel);
    return {time, time_of(work, cell)};
  }
  const double time = time_of(work, cell);
  return {time_of(work, kernel), time};
}

std::vector<Turn> compare(const Work& work) {
  const ScopedAffinity pinned(one_cpu().ours);
  std::vector<Turn> turns;
  for (int pair = 0; pair < kPairs; ++pair) {
    const Memory<Kernel> kernel;
    const Memory<Cell> cell;
    for (int turn = 0; turn < kTurns; ++turn)
      turns.push_back(take_turn(work, kernel.data(), cell.data(), turn % 2 != 0));
  }
  return turns;
}

Row row(std::string name, double floor, Work work) {
  return versus_kernel_in_turns(std::move(name), floor, [work] { return compare(work); });
}

}  // namespace

std::vector<Row> shm_memory_rows() {
  return {
      row("shm/memory/write_64m", 0.97, {write_all, 1}),
      row("shm/memory/read_64m", 0.97, {read_all, 1}),
      row("shm/memory/random_64", 0.95, {access_lines, kAccesses}),
  };
}

}  // namespace ipcell::bench
