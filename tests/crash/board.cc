#include "tests/crash/board.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace crash {

std::uint64_t now_us() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// The time is counted in naps and not by the clock: if the whole machine stood still meanwhile, the
// others get their turn before it is over.
bool await(std::atomic<std::uint32_t>& word, std::uint32_t wanted, int timeout_ms) {
  constexpr int kNapMs = 10;
  const std::uint64_t start = now_us();
  for (int waited = 0; waited < timeout_ms || now_us() - start < timeout_ms * 1000ull;
       waited += kNapMs) {
    const std::uint32_t seen = word.load();
    if (seen >= wanted) return true;
    const struct timespec pause = {0, kNapMs * 1'000'000};
    syscall(SYS_futex, &word, FUTEX_WAIT, seen, &pause, nullptr, 0);
  }
  return word.load() >= wanted;
}

void announce(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value);
  syscall(SYS_futex, &word, FUTEX_WAKE, 1 << 20, nullptr, nullptr, 0);
}

void note_failure(Board& board, const char* format, ...) {
  if (board.has_failed.exchange(true)) return;
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(board.failure, sizeof board.failure, format, arguments);
  va_end(arguments);
}

}  // namespace crash
