// What the processes of one run share beside the cell: who is where, what came out, what is asked
// of whom. An anonymous shared mapping, made before the first fork.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace crash {

// How far a process is. Only grows.
enum Progress : std::uint32_t { kForked, kReady, kRunning, kDone, kVerified, kFinished };

// What the driver asks a process to do. Only grows.
enum Command : std::uint32_t { kNothing, kAwaken, kStart, kVerify, kFinish };

// A message as the tests tell them apart: its text is made of `tag` and can be recognised.
struct Message {
  long type = 0;
  std::uint32_t size = 0;
  std::uint8_t tag = 0;
  bool operator==(const Message&) const = default;
};

enum class Outcome : std::uint32_t { Absent, Whole };

// One process's part of the board.
struct Slate {
  std::atomic<std::uint32_t> progress;  // futex; written by the process
  std::atomic<std::uint32_t> command;   // futex; written by the driver or the survivor
  pid_t pid;
  std::atomic<pid_t> tid;  // of the thread that acts
  bool has_ended;          // the driver has waited for it
  std::uint32_t slot;      // its task's slot + 1
  long result;             // of its operation
  Message message;         // that it received
};

constexpr int kMaxHelpers = 8;
constexpr int kMaxQueues = 4;
constexpr int kMaxSets = 3;
constexpr int kMaxSegments = 3;
constexpr int kMaxMqueues = 3;

struct Board {
  Slate survivor;
  Slate victim;
  Slate recoverer;  // the second victim
  Slate child;      // that the victim forked, if it did
  Slate sleepers[kMaxHelpers];
  Slate contenders[kMaxHelpers];
  int ids[kMaxQueues];                // queues that the set-up made
  std::uint64_t records[kMaxQueues];  // and their records
  int sets[kMaxSets];                 // sets of semaphores
  std::uint64_t set_records[kMaxSets];
  int segments[kMaxSegments];
  std::uint64_t segment_records[kMaxSegments];
  std::uint64_t mqueue_records[kMaxMqueues];
  std::uint64_t heir, heir_serial;  // what a sleeper has made for the child of its fork(2)
  std::uint32_t driver_slot;        // the driver's task's slot + 1; 0: it has none
  std::uint32_t slots_high;         // after the set-up
  Outcome outcome;                  // what the survivor found
  bool was_awakened;                // the victim slept and was let go on
  bool is_late;                     // real operations first, then the reaping
  bool is_thread;                   // the victim's process outlives it
  std::atomic<bool> has_failed;
  char failure[512];
};

// Sleeps until `word` is at least `wanted`. False after `timeout_ms`.
bool await(std::atomic<std::uint32_t>& word, std::uint32_t wanted, int timeout_ms);
void announce(std::atomic<std::uint32_t>& word, std::uint32_t value);

// Notes the first failure; later ones are its consequences.
[[gnu::format(printf, 2, 3)]] void note_failure(Board& board, const char* format, ...);

std::uint64_t now_us();

}  // namespace crash
